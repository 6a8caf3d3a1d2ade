export { SignalboxError, type ErrorCode, type ErrorFields } from './errors.ts';
