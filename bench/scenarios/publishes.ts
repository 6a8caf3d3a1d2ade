import { type Endpoint } from '../contender.ts';
import { type Job, type Measurement, type Outcome } from '../job.ts';
import { Backend } from '../load/backend.ts';
import { PUBLISH_MESSAGE } from '../load/dialects/graphql.ts';
import { HttpConnection } from '../load/http-connection.ts';
import { startMeter } from '../load/meter.ts';
import { Pipeline } from '../load/pipeline.ts';

const HTTP_CONNECTIONS = 32;
const IN_FLIGHT = 256;

/** Acknowledged publishes, to nobody: kept in the log by Signalbox, answered and forgotten by its peers. */
export async function publishes({ endpoint, effort, parts }: Job): Promise<Outcome> {
  if (endpoint.apiKey !== undefined) {
    using backend = await Backend.open(endpoint);
    await backend.createChannels(['bench']);
  }
  const outcome: Record<string, Measurement> = {};
  if (parts.includes('publish-http')) {
    await overHttp(endpoint, effort.publishWarmUpMs);
    outcome['publish-http'] = await measured(endpoint, () => overHttp(endpoint, effort.measureMs));
  }
  if (parts.includes('publish-ws')) {
    using pipeline = await Pipeline.open(endpoint);
    await pipeline.run({ inFlight: IN_FLIGHT, durationMs: effort.publishWarmUpMs });
    outcome['publish-ws'] = await measured(endpoint, () =>
      pipeline.run({ inFlight: IN_FLIGHT, durationMs: effort.measureMs }),
    );
  }
  return outcome;
}

async function measured({ pid }: Endpoint, run: () => Promise<number>): Promise<Measurement> {
  const read = startMeter(pid);
  const acknowledged = await run();
  const { serverCpuMs, wallMs, generatorShare } = read();
  return {
    values: {
      publishesPerSecond: (acknowledged * 1000) / wallMs,
      cpuUsPerPublish: (serverCpuMs * 1000) / acknowledged,
      acknowledged,
      generatorShare,
    },
  };
}

async function overHttp(endpoint: Endpoint, durationMs: number): Promise<number> {
  const variables = { channel: 'bench', event: 'tick', data: { pad: 'x'.repeat(100), n: '00000000' } };
  const body = JSON.stringify({ query: PUBLISH_MESSAGE, variables });
  const deadline = performance.now() + durationMs;
  let acknowledged = 0;
  let busy = HTTP_CONNECTIONS;
  const all: HttpConnection[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const answered = (isGood: boolean, answer: string) => {
        if (!isGood) reject(new Error(`A publish was refused: ${answer}`));
        acknowledged++;
        if (performance.now() < deadline) return true;
        if (--busy === 0) resolve();
        return false;
      };
      for (let index = 0; index < HTTP_CONNECTIONS; index++) {
        const connection = new HttpConnection(endpoint, body, answered);
        all.push(connection);
        connection.send();
      }
    });
  } finally {
    for (const connection of all) connection[Symbol.dispose]();
  }
  return acknowledged;
}
