import { createClient, SignalboxError, type SignalboxClient } from '@signalbox/client';
import { type Operation } from '../operation.ts';
import { request } from './request.ts';
import { WhoAmIDocument, type ApiKeyScope, type WhoAmIQuery } from '../generated/operations.ts';

type SignedInKey = NonNullable<WhoAmIQuery['viewer']['apiKey']>;

/** A signed-in operator. The API key itself is known to the client only, which keeps it in memory. */
export interface Session {
  readonly client: SignalboxClient<Record<string, unknown>>;
  readonly project: string;
  readonly apiKey: SignedInKey;
}

/** What the API key may do, for what a page shows. The service checks every request itself. */
export function maySee(apiKey: SignedInKey, scope: ApiKeyScope): boolean {
  return apiKey.scopes === null || apiKey.scopes.includes(scope);
}

/**
 * Connects with an API key over the WebSocket, so that the key is in no address and in no header.
 * @throws SignalboxError when the key is malformed or refused, or when the service cannot be reached
 */
export async function signIn(apiKey: string): Promise<Session> {
  if (!apiKey.startsWith('key_'))
    throw new SignalboxError('BAD_USER_INPUT', 'An API key starts with “key_”. Paste the whole key.');
  const client = createClient({ url: location.origin, credential: apiKey });
  try {
    const { viewer } = await askOnce(client, WhoAmIDocument, {});
    if (!viewer.apiKey)
      throw new SignalboxError('FORBIDDEN', 'The console needs an API key. This is another credential.');
    return { client, project: viewer.project, apiKey: viewer.apiKey };
  } catch (error) {
    await client.close();
    throw error;
  }
}

/**
 * Runs an operation over a new connection.
 * @throws SignalboxError when the credential is refused, or the service cannot be reached at the first attempt
 */
export function askOnce<Result, Variables extends object>(
  client: Session['client'],
  operation: Operation<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  return Promise.race([request(client, operation, variables), whenUnreachable(client)]);
}

/** The client retries without end, but a form needs an answer after the first attempt. */
function whenUnreachable(client: Session['client']): Promise<never> {
  return new Promise((_, reject) => {
    client.on('status', ({ state, message, error }) => {
      if (state === 'waiting')
        reject(error ?? new SignalboxError('UNAVAILABLE', 'The service cannot be reached. Is it running?'));
      if (state === 'ended') reject(error ?? new SignalboxError('UNAUTHENTICATED', message));
    });
  });
}
