import { type Endpoint } from '../contender.ts';
import { type Job, type Outcome } from '../job.ts';
import { measurementOf } from '../latencies.ts';
import { SubscriberGroup } from '../load/subscriber-group.ts';
import { Backend } from '../load/backend.ts';
import { startMeter, untilIdle, type Usage } from '../load/meter.ts';
import { subscriberSpecOf } from '../load/fixture.ts';

const REVOKED = 4403;
const REVOKE = 'mutation ($identity: String!) { revokeTokens(identity: $identity) { connections } }';

/**
 * Revokes the tokens of a thousand live connections, which all have one identity. Measures the time from sending the request
 * to reading each close frame. The first round is a warm-up.
 */
export async function revocation({ endpoint, workload }: Job): Promise<Outcome> {
  using backend = await Backend.open(endpoint);
  await backend.createChannels(['bench']);
  const rounds: RevocationRound[] = [];
  for (let round = 0; round <= workload.revocations; round++)
    rounds.push(await revokeAll(endpoint, backend, `user-of-round-${round}`, workload.subscribers));
  rounds.shift();
  const latenciesMs = rounds.flatMap((round) => round.latenciesMs);
  const sum = (of: (round: RevocationRound) => number) =>
    rounds.reduce((total, round) => total + of(round), 0);
  const totalMs = sum((round) => Math.max(...round.latenciesMs));
  return {
    revocation: measurementOf(
      {
        cpuUsPerClose: (sum(({ serverCpuMs }) => serverCpuMs) * 1000) / latenciesMs.length,
        closesPerSecond: (latenciesMs.length * 1000) / totalMs,
        lastMs: Math.max(...latenciesMs),
        connections: workload.subscribers,
        generatorShare: sum(({ generatorShare }) => generatorShare) / rounds.length,
        othersShare: sum(({ othersShare }) => othersShare) / rounds.length,
      },
      { '': latenciesMs },
    ),
  };
}

/** The usage until the server is idle, except for the generator's share, which is measured until the last close. */
interface RevocationRound extends Usage {
  readonly latenciesMs: number[];
}

async function revokeAll(
  endpoint: Endpoint,
  backend: Backend,
  identity: string,
  count: number,
): Promise<RevocationRound> {
  const tokens = await backend.mintTokens(count, { identity });
  using group = new SubscriberGroup();
  await group.connect(endpoint, count, (index) => subscriberSpecOf(endpoint, tokens[index]));
  await untilIdle(endpoint.pid);
  const latenciesMs: number[] = [];
  const meter = startMeter(endpoint.pid);
  const startedAt = performance.now();
  group.onSubscriberClosed = (_subscriber, code) => {
    latenciesMs.push(performance.now() - startedAt);
    if (code !== REVOKED) group.fail(`A connection was closed with ${code}, not ${REVOKED}.`);
  };
  const revoked = backend.request(REVOKE, { identity });
  await group.until(
    () => latenciesMs.length === count,
    () => `${latenciesMs.length} of ${count} connections were closed.`,
  );
  const { generatorShare } = meter.read();
  await revoked;
  await untilIdle(endpoint.pid);
  return { ...meter.end(), latenciesMs, generatorShare };
}
