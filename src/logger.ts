import { pino, type Logger } from 'pino';
import { type Config } from './config.ts';

/**
 * Writes structured lines to standard output. Secrets are never passed to the logger; redaction is a second line of
 * defence.
 */
export function createLogger(config: Config): Logger {
  return pino({
    level: config.logLevel,
    redact: {
      paths: [
        'credential',
        'secret',
        'apiKey',
        'token',
        'authorization',
        '*.credential',
        '*.secret',
        '*.apiKey',
        '*.token',
        '*.authorization',
      ],
      censor: '[redacted]',
    },
  });
}

export type { Logger };
