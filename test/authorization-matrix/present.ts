import { type ServiceClient } from '../support/service.ts';
import { openSocket } from '../support/socket.ts';

/** What becomes of whoever presents a credential: the code over HTTP, the close over WebSocket; undefined: it is taken. */
export interface Fate {
  code: unknown;
  close: number | undefined;
}

export const TAKEN: Fate = { code: undefined, close: undefined };
export const REFUSED: Fate = { code: 'UNAUTHENTICATED', close: 4401 };
export const EXPIRED: Fate = { code: 'TOKEN_EXPIRED', close: 4403 };
export const REVOKED: Fate = { code: 'TOKEN_REVOKED', close: 4403 };

/** By both doors. */
export async function present(doors: ServiceClient, credential: string): Promise<Fate> {
  const { errors } = await doors.ask('{ viewer { kind } }', {}, credential);
  expectOne(errors);
  return { code: errors?.[0]?.extensions['code'], close: await knock(doors, { token: credential }) };
}

/** By WebSocket, with whatever is said in `connection_init`; undefined: it is let in. */
export async function knock(
  doors: Pick<ServiceClient, 'wsUrl'>,
  payload: object,
): Promise<number | undefined> {
  using socket = await openSocket(doors);
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

/** Whoever tried a second verifier after the first would have more to say. */
function expectOne(errors: readonly unknown[] | undefined): void {
  if (errors && errors.length !== 1) throw new Error(`There are ${errors.length} errors.`);
}
