import { type Endpoint } from '../contender.ts';
import { type Job, type Outcome } from '../job.ts';
import { Audience } from '../load/audience.ts';
import { Backend } from '../load/backend.ts';
import { untilIdle } from '../load/meter.ts';
import { guestOf } from '../load/stage.ts';
import { orderStatistics, percentile } from '../statistics.ts';

const REVOKED = 4403;
const REVOKE = 'mutation ($identity: String!) { revokeTokens(identity: $identity) { connections } }';

/**
 * A thousand live connections with a token each, all of one identity, whose tokens are revoked: from sending the request
 * to reading the close frame, of every connection.
 */
export async function revocation({ endpoint, effort }: Job): Promise<Outcome> {
  using backend = await Backend.open(endpoint);
  await backend.createChannels(['bench']);
  const latenciesMs: number[] = [];
  for (let turn = 0; turn < effort.revocations; turn++) {
    latenciesMs.push(...(await revokeAll(endpoint, backend, `user-of-turn-${turn}`, effort.subscribers)));
  }
  return {
    revocation: {
      values: {
        p50Ms: percentile(latenciesMs, 0.5),
        p99Ms: percentile(latenciesMs, 0.99),
        lastMs: Math.max(...latenciesMs),
        connections: effort.subscribers,
      },
      latenciesMs: orderStatistics(latenciesMs),
    },
  };
}

async function revokeAll(
  endpoint: Endpoint,
  backend: Backend,
  identity: string,
  count: number,
): Promise<number[]> {
  const tickets = await backend.mint(count, { identity });
  using audience = new Audience();
  await audience.join(endpoint, count, (index) => guestOf(endpoint, tickets[index]));
  await untilIdle(endpoint.pid);
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  audience.onLost = (_subscriber, code) => {
    latenciesMs.push(performance.now() - startedAt);
    if (code !== REVOKED) audience.fault(`A connection was closed with ${code}, not ${REVOKED}.`);
  };
  const revoked = backend.request(REVOKE, { identity });
  await audience.until(
    () => latenciesMs.length === count,
    () => `${latenciesMs.length} of ${count} connections were closed.`,
  );
  await revoked;
  return latenciesMs;
}
