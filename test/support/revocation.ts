import { expect } from 'vitest';
import { queueResults, type ResultQueue } from './result-queue.ts';
import { EVENTS } from './external-credentials.ts';
import { type ServiceClient } from './service.ts';
import { sseClient } from './sse.ts';

/** Whom a revocation of many is about. */
export interface RevocationTarget {
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
export async function revoke(
  { request }: ServiceClient,
  target: RevocationTarget,
  before?: number,
): Promise<number> {
  const issuedBefore = before === undefined ? {} : { before: new Date(before).toISOString() };
  return (await request(REVOKE, { ...target, ...issuedBefore })).revokeTokens.connections;
}

/** Undoes it; null where there was nothing. */
export const restore = async ({ request }: ServiceClient, target: RevocationTarget) =>
  (await request(RESTORE, target)).restoreTokens;

/** What was revoked by the many and not restored. */
export const revocationsOf = async ({ request }: ServiceClient) =>
  (await request(`{ revocations { nodes { scope identity issuer } } }`)).revocations.nodes;

/** Live by WebSocket and by SSE, each past its first event. */
export async function subscribeOnBothTransports(
  signalbox: ServiceClient,
  credential: string,
): Promise<ResultQueue<any>[]> {
  const live = [
    queueResults(signalbox.client({ token: credential }), EVENTS),
    queueResults(sseClient(signalbox, credential), EVENTS),
  ];
  for (const events of live) await events.next();
  return live;
}

/** Both ended because of a revocation. */
export async function expectRevoked([socket, sse]: ResultQueue<any>[]): Promise<void> {
  await socket!.until(({ events }) => events.reason === 'TOKEN_REVOKED');
  expect(await socket!.ended).toMatchObject({ code: 4403 });
  expect(await sse!.ended).toMatchObject([{ extensions: { code: 'TOKEN_REVOKED' } }]);
}
