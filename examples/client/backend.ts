/** The backend's side of every example: one function. */

/** How long an expected event or response may take. */
export const TIMEOUT_MS = 10_000;

export const url = setting('SIGNALBOX_URL', 'http://127.0.0.1:4000');
export const apiKey = setting('SIGNALBOX_API_KEY', 'key_…, which npm start printed');

function setting(name: string, example: string): string {
  const value = process.env[name];
  if (value) return value.replace(/\/$/, '');
  console.error(`Set ${name}, for example to ${example}.`);
  process.exit(1);
}

export interface Result<T> {
  data?: T | null | undefined;
  errors?: readonly { message: string; extensions?: { code?: unknown } | undefined }[] | undefined;
}

/** An operation that Signalbox refused, with the code of its first error. */
export class RefusedError extends Error {
  readonly code: unknown;
  constructor(errors: Result<unknown>['errors'] = []) {
    super(errors.map(({ message }) => message).join(' ') || 'The response has no data.');
    this.code = errors[0]?.extensions?.code;
  }
}

/** @throws RefusedError when the result has errors or no data */
export function dataOf<T>({ data, errors }: Result<T>): T {
  if (errors || !data) throw new RefusedError(errors);
  return data;
}

/** Executes an operation over HTTP with the API key. */
export async function backend<T>(query: string, variables: object = {}): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return dataOf((await response.json()) as Result<T>);
}

/** Creates a channel or an issuer unless an earlier run of the example has created it (CONFLICT). */
export async function createOnce(query: string, variables: object = {}): Promise<void> {
  const code = await errorCodeOf(backend(query, variables));
  if (code !== null && code !== 'CONFLICT') throw new Error(`${query} is refused: ${code}`);
}

/** The code with which an operation is refused; null when it succeeds. */
export async function errorCodeOf(operation: Promise<unknown>): Promise<string | null> {
  try {
    await operation;
    return null;
  } catch (error) {
    if (error instanceof RefusedError && typeof error.code === 'string') return error.code;
    throw error;
  }
}
