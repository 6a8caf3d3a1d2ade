import { type Endpoint } from '../contender.ts';
import { type Job, type Outcome } from '../job.ts';
import { measurementOf } from '../latencies.ts';
import { Audience } from '../load/audience.ts';
import { Backend } from '../load/backend.ts';
import { startMeter, untilIdle, type Usage } from '../load/meter.ts';
import { subscriberSpecOf } from '../load/fixture.ts';

const REVOKED = 4403;
const REVOKE = 'mutation ($identity: String!) { revokeTokens(identity: $identity) { connections } }';

/**
 * A thousand live connections with a token each, all of one identity, whose tokens are revoked: from sending the request
 * to reading the close frame, of every connection. Once to warm up, then as often as is counted.
 */
export async function revocation({ endpoint, effort }: Job): Promise<Outcome> {
  using backend = await Backend.open(endpoint);
  await backend.createChannels(['bench']);
  const turns: Turn[] = [];
  for (let turn = 0; turn <= effort.revocations; turn++)
    turns.push(await revokeAll(endpoint, backend, `user-of-turn-${turn}`, effort.subscribers));
  turns.shift();
  const latenciesMs = turns.flatMap((turn) => turn.latenciesMs);
  const sum = (of: (turn: Turn) => number) => turns.reduce((total, turn) => total + of(turn), 0);
  const wholeMs = sum((turn) => Math.max(...turn.latenciesMs));
  return {
    revocation: measurementOf(
      {
        cpuUsPerClose: (sum(({ serverCpuMs }) => serverCpuMs) * 1000) / latenciesMs.length,
        closesPerSecond: (latenciesMs.length * 1000) / wholeMs,
        lastMs: Math.max(...latenciesMs),
        connections: effort.subscribers,
        generatorShare: sum(({ generatorShare }) => generatorShare) / turns.length,
        othersShare: sum(({ othersShare }) => othersShare) / turns.length,
      },
      { '': latenciesMs },
    ),
  };
}

/** What it cost until the server had nothing to do any more; the generator's share until the last close. */
interface Turn extends Usage {
  readonly latenciesMs: number[];
}

async function revokeAll(
  endpoint: Endpoint,
  backend: Backend,
  identity: string,
  count: number,
): Promise<Turn> {
  const credentials = await backend.mint(count, { identity });
  using audience = new Audience();
  await audience.join(endpoint, count, (index) => subscriberSpecOf(endpoint, credentials[index]));
  await untilIdle(endpoint.pid);
  const latenciesMs: number[] = [];
  const meter = startMeter(endpoint.pid);
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
  const { generatorShare } = meter.read();
  await revoked;
  await untilIdle(endpoint.pid);
  return { ...meter.end(), latenciesMs, generatorShare };
}
