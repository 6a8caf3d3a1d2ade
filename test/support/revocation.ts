import { expect } from 'vitest';
import { queueResults, type ResultQueue } from './result-queue.ts';
import { EVENTS } from './external-credentials.ts';
import { type ServiceClient } from './service.ts';
import { sseClient } from './sse.ts';

/** The target of `revokeTokens` and `restoreTokens`. */
export interface RevocationTarget {
  identity?: string;
  issuer?: string;
  all?: boolean;
}

const TARGET_VARIABLES = '$identity: String, $issuer: ID, $all: Boolean';
const TARGET_ARGUMENTS = 'identity: $identity, issuer: $issuer, all: $all';
export const REVOKE = `mutation (${TARGET_VARIABLES}, $before: DateTime) { revokeTokens(${TARGET_ARGUMENTS}, issuedBefore: $before) {
  connections revocation { scope identity issuer issuedBefore }
} }`;
export const RESTORE = `mutation (${TARGET_VARIABLES}) { restoreTokens(${TARGET_ARGUMENTS}) { scope identity issuer } }`;

/** Revokes tokens. Resolves to the number of live connections that were closed. */
export async function revoke(
  { request }: ServiceClient,
  target: RevocationTarget,
  before?: number,
): Promise<number> {
  const issuedBefore = before === undefined ? {} : { before: new Date(before).toISOString() };
  return (await request(REVOKE, { ...target, ...issuedBefore })).revokeTokens.connections;
}

/** Lifts a revocation. Resolves to null if there was none. */
export const restore = async ({ request }: ServiceClient, target: RevocationTarget) =>
  (await request(RESTORE, target)).restoreTokens;

/** The revocations in force. */
export const revocationsOf = async ({ request }: ServiceClient) =>
  (await request(`{ revocations { nodes { scope identity issuer } } }`)).revocations.nodes;

/** Subscribes to `events` by WebSocket and by SSE and waits for the first event of each. */
export async function subscribeOnBothTransports(
  signalbox: ServiceClient,
  credential: string,
): Promise<ResultQueue<any>[]> {
  const subscriptions = [
    queueResults(signalbox.client({ token: credential }), EVENTS),
    queueResults(sseClient(signalbox, credential), EVENTS),
  ];
  for (const events of subscriptions) await events.next();
  return subscriptions;
}

/** Expects that both subscriptions ended because of a revocation. */
export async function expectRevoked([socket, sse]: ResultQueue<any>[]): Promise<void> {
  await socket!.until(({ events }) => events.reason === 'TOKEN_REVOKED');
  expect(await socket!.ended).toMatchObject({ code: 4403 });
  expect(await sse!.ended).toMatchObject([{ extensions: { code: 'TOKEN_REVOKED' } }]);
}
