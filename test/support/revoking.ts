import { expect } from 'vitest';
import { take, type Taken } from './events.ts';
import { EVENTS } from './self-minted.ts';
import { type Doors } from './service.ts';
import { sseClient } from './sse.ts';

/** Whom a revocation of many is about. */
export interface Target {
  identity?: string;
  issuer?: string;
  all?: boolean;
}

const TARGETS = '$identity: String, $issuer: ID, $all: Boolean';
const GIVEN = 'identity: $identity, issuer: $issuer, all: $all';
export const REVOKE = `mutation (${TARGETS}, $before: DateTime) { revokeTokens(${GIVEN}, issuedBefore: $before) {
  connections revocation { scope identity issuer issuedBefore }
} }`;
export const RESTORE = `mutation (${TARGETS}) { restoreTokens(${GIVEN}) { scope identity issuer } }`;

/** Resolves to the number of live connections that it ended. */
export async function revoke({ request }: Doors, target: Target, before?: number): Promise<number> {
  const issuedBefore = before === undefined ? {} : { before: new Date(before).toISOString() };
  return (await request(REVOKE, { ...target, ...issuedBefore })).revokeTokens.connections;
}

/** Undoes it; null where there was nothing. */
export const restore = async ({ request }: Doors, target: Target) =>
  (await request(RESTORE, target)).restoreTokens;

/** What was revoked by the many and not restored. */
export const revocationsOf = async ({ request }: Doors) =>
  (await request(`{ revocations { nodes { scope identity issuer } } }`)).revocations.nodes;

/** Live by WebSocket and by SSE, each past its first event. */
export async function listen(signalbox: Doors, credential: string): Promise<Taken<any>[]> {
  const live = [
    take(signalbox.client({ token: credential }), EVENTS),
    take(sseClient(signalbox, credential), EVENTS),
  ];
  for (const events of live) await events.next();
  return live;
}

/** Both ended because of a revocation. */
export async function expectEnded([socket, sse]: Taken<any>[]): Promise<void> {
  await socket!.until(({ events }) => events.reason === 'TOKEN_REVOKED');
  expect(await socket!.ended).toMatchObject({ code: 4403 });
  expect(await sse!.ended).toMatchObject([{ extensions: { code: 'TOKEN_REVOKED' } }]);
}
