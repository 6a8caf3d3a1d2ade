import { pino, type Logger, type LoggerOptions } from 'pino';
import { type Config } from './config.ts';
import { openLogDestination } from './log-destination.ts';

/** The file descriptor of standard output. */
const STANDARD_OUTPUT = 1;

/**
 * Writes structured lines to standard output. Secrets are never passed to the logger; redaction is a second line of
 * defence. Disposing writes the lines that wait.
 * @param onDropped is called with the number of lines that standard output did not take
 */
export function createLogger(
  config: Config,
  onDropped: (count: number) => void,
): AsyncDisposable & { logger: Logger } {
  const destination = openLogDestination(STANDARD_OUTPUT, {
    onDropped,
    onRecovered: (dropped) => logger.warn({ dropped }, 'log lines were dropped'),
  });
  const logger = pino(options(config), destination);
  return { logger, [Symbol.asyncDispose]: () => destination[Symbol.asyncDispose]() };
}

/**
 * The logger of the audit log. Its lines do not depend on the log level, unless the level is `silent`.
 * @returns undefined when the audit log is off
 */
export function auditLoggerOf({ auditLog, logLevel }: Config, logger: Logger): Logger | undefined {
  const isOn = auditLog === 'on' || (auditLog === 'auto' && logLevel !== 'silent');
  return isOn ? logger.child({}, { level: 'info' }) : undefined;
}

function options({ logLevel }: Config): LoggerOptions {
  return {
    level: logLevel,
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
  };
}

export type { Logger };
