import { type DeliveryRecorder } from '../../src/connections/reception.ts';

/** For parts of the service that a test builds by itself: keeps nothing. */
export const NO_RECORDER: DeliveryRecorder = { delivered: () => undefined, ended: () => undefined };
