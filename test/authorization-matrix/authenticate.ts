import { type ServiceClient } from '../support/service.ts';
import { openSocket } from '../support/socket.ts';

/** The outcome of presenting a credential: the error code over HTTP, and the close code over WebSocket. Undefined: accepted. */
export interface AuthenticationOutcome {
  code: unknown;
  close: number | undefined;
}

export const ACCEPTED: AuthenticationOutcome = { code: undefined, close: undefined };
export const REFUSED: AuthenticationOutcome = { code: 'UNAUTHENTICATED', close: 4401 };
export const EXPIRED: AuthenticationOutcome = { code: 'TOKEN_EXPIRED', close: 4403 };
export const REVOKED: AuthenticationOutcome = { code: 'TOKEN_REVOKED', close: 4403 };

/** Presents a credential over HTTP and over WebSocket. */
export async function tryAuthenticate(
  service: ServiceClient,
  credential: string,
): Promise<AuthenticationOutcome> {
  const { errors } = await service.ask('{ viewer { kind } }', {}, credential);
  assertSingleError(errors);
  return { code: errors?.[0]?.extensions['code'], close: await tryConnect(service, { token: credential }) };
}

/** Connects by WebSocket with this `connection_init` payload. Resolves to the close code, or to undefined if it is accepted. */
export async function tryConnect(
  service: Pick<ServiceClient, 'wsUrl'>,
  payload: object,
): Promise<number | undefined> {
  using socket = await openSocket(service);
  socket.send({ type: 'connection_init', payload });
  const close = await Promise.race([
    socket.closed,
    socket.next().then(
      () => undefined,
      () => socket.closed,
    ),
  ]);
  return close?.code;
}

/** A credential is checked by one verifier only, so that there is at most one error. */
function assertSingleError(errors: readonly unknown[] | undefined): void {
  if (errors && errors.length !== 1) throw new Error(`Expected one error, received ${errors.length}.`);
}
