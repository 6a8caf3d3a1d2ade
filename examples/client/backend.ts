/** What a backend needs: one function. */

/** How long something that is expected may take. */
export const PATIENCE_MS = 10_000;

export const url = setting('SIGNALBOX_URL', 'http://127.0.0.1:4000');
export const apiKey = setting('SIGNALBOX_API_KEY', 'key_…, which npm start printed');

function setting(name: string, example: string): string {
  const value = process.env[name];
  if (value) return value.replace(/\/$/, '');
  console.error(`Set ${name}, for example to ${example}.`);
  process.exit(1);
}

export interface Answer<T> {
  data?: T | null | undefined;
  errors?: readonly { message: string; extensions?: { code?: unknown } | undefined }[] | undefined;
}

/** What Signalbox refused, with its code. */
export class Refusal extends Error {
  readonly code: unknown;
  constructor(errors: Answer<unknown>['errors'] = []) {
    super(errors.map(({ message }) => message).join(' ') || 'There is no answer.');
    this.code = errors[0]?.extensions?.code;
  }
}

export function dataOf<T>({ data, errors }: Answer<T>): T {
  if (errors || !data) throw new Refusal(errors);
  return data;
}

/** One operation over HTTP with the API key. */
export async function backend<T>(query: string, variables: object = {}): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  return dataOf((await response.json()) as Answer<T>);
}

/** Makes what may be there from the last time: then it is a CONFLICT. */
export async function once(query: string, variables: object = {}): Promise<void> {
  const code = await refusalOf(backend(query, variables));
  if (code !== null && code !== 'CONFLICT') throw new Error(`${query} is refused: ${code}`);
}

/** With which code something is refused; null: it is done. */
export async function refusalOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof Refusal && typeof error.code === 'string') return error.code;
    throw error;
  }
}
