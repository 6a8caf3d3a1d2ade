import { SignalboxError } from '../errors.ts';

/** The parts of an error of PostgreSQL, of its driver or of the network. */
interface DatabaseError {
  code?: string;
  message?: string;
}

/** Codes with these prefixes mean that the database cannot execute statements now; all other codes are errors of the statement. */
const SENTENCES: readonly (readonly [prefix: string, sentence: string])[] = [
  ['53100', 'The disk of the database has no space left. Nothing was changed; try again later.'],
  ['53300', 'The database has no connection left. Nothing was changed; try again later.'],
  ['53', 'The database has no resources left. Nothing was changed; try again later.'],
  ['25006', 'The database cannot be written. Nothing was changed; try again later.'],
  ['25P03', 'The database ended a transaction that took too long. Nothing was changed; try again.'],
  [
    '40P01',
    'The database ended a change because it and another one waited for each other. Nothing was changed; try again.',
  ],
  ['55P03', 'The database is locked by another program. Nothing was changed; try again.'],
  ['57014', 'The database did not answer in time. Nothing was changed; try again later.'],
  ['57P', 'The database is not available. Try again later.'],
  ['08', 'The database is not available. Try again later.'],
  ['28', 'The database refuses the connection. Try again later.'],
  ['3D000', 'The database does not exist. Try again later.'],
  ['58', 'The database reports an error of its disk. Try again later.'],
  ['XX', 'The database reports an internal error. Try again later.'],
];

/** Errors of the network, and of the driver, which have no code. */
const LOST = /^(E[A-Z]+|CERT_\w+|DEPTH_\w+|SELF_SIGNED\w*|UNABLE_\w+|ERR_TLS\w*)$/;
const LOST_MESSAGE =
  /Connection terminated|timeout exceeded|read timeout|not queryable|pool after calling end|SSL/;

/**
 * The error of a statement, as the callers of the store see it: UNAVAILABLE when the database causes it; other errors unchanged. The
 * driver's messages name neither parameters nor the password.
 * @param hasTakenNoEffect whether the statement certainly changed nothing; by default, whether it was not sent
 */
export function asUnavailable(error: unknown, hasTakenNoEffect = isNotSent(error)): unknown {
  if (error instanceof SignalboxError) return error;
  const { code = '', message = '' } = error as DatabaseError;
  const sentence =
    SENTENCES.find(([prefix]) => code.startsWith(prefix))?.[1] ??
    (isLost({ code, message }) ? 'The database cannot be reached. Try again later.' : undefined);
  if (sentence === undefined) return error;
  const outcomeUnknown = !hasTakenNoEffect && isOutcomeUnknown(error);
  return new SignalboxError('UNAVAILABLE', sentence, {
    cause: error,
    ...(outcomeUnknown && { outcomeUnknown }),
  });
}

/**
 * Whether it is unknown if the statement took effect, because the connection was lost before its answer. Errors that
 * PostgreSQL itself reports mean that it took none.
 */
export function isOutcomeUnknown(error: unknown): boolean {
  const cause = error instanceof SignalboxError ? error.cause : error;
  if (!cause) return false;
  const { code = '', message = '' } = cause as DatabaseError;
  return isLost({ code, message }) || code.startsWith('57P') || code.startsWith('08');
}

/** Whether no connection could be opened, so that the statement was not sent. */
function isNotSent(error: unknown): boolean {
  const { code = '', message = '' } = error as DatabaseError;
  return /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENOENT)$/.test(code) || message.includes('trying to connect');
}

/** Codes of PostgreSQL have digits; those of the network and of TLS have none. */
const isLost = ({ code = '', message = '' }: DatabaseError) => LOST.test(code) || LOST_MESSAGE.test(message);
