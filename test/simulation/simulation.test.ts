import { beforeAll, describe, expect, test } from 'vitest';
import { check } from './check.ts';
import { RecordIndex } from './record-index.ts';
import { DEFAULT_OPTIONS, runSimulation } from './run.ts';
import { type SimulationRecord, type Channel, type ReceivedEvent, type Stream } from './record.ts';
import { describeSimulation } from './report.ts';

/** Set SEED to repeat the steps of an earlier simulation. Their interleaving may differ. */
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));

test(`a simulated group chat satisfies laws 1 to 5: SEED=${seed}`, { timeout: 120_000 }, async () => {
  const record = await runSimulation({ ...DEFAULT_OPTIONS, seed });
  const { violations, coverage } = check(record);
  expect(violations).toEqual([]);

  const figures = describeSimulation(record);
  expect(figures.clients).toBeGreaterThan(DEFAULT_OPTIONS.tokens);
  expect(figures.published).toBeGreaterThan(1000);
  for (const name of ['cuts', 'resumes', 'replays', 'bySocket', 'ephemeral', 'direct'] as const) {
    expect(figures[name], name).toBeGreaterThan(50);
  }
  for (const name of [
    'revocations',
    'expiries',
    'tokenUpdates',
    'unsubscribes',
    'patches',
    'onlineChecks',
  ] as const) {
    expect(figures[name], name).toBeGreaterThan(5);
  }
  const { required, forbidden, undecided } = coverage;
  expect(required).toBeGreaterThan(10_000);
  expect(undecided).toBeLessThan((required + forbidden) / 4);
});

describe('the checker of a small simulation', () => {
  let record: SimulationRecord;

  beforeAll(async () => {
    record = await runSimulation({ seed: 7, tokens: 40, channels: 8, lanes: 4, steps: 150 });
  });

  test('reports no violation for an unchanged record', () => {
    expect(check(record).violations).toEqual([]);
  });

  /** The laws that the checker reports as violated after `tamper` has changed a copy of the record. */
  function lawsAfter(tamper: (copy: SimulationRecord, client: SteadyClient) => void): Set<number> {
    const copy = structuredClone<SimulationRecord>(record);
    tamper(copy, findSteadyClient(copy));
    return new Set(check(copy).violations.map(({ law }) => law));
  }

  test('reports a missing message', () => {
    expect(lawsAfter((_, { stream, deliveries }) => remove(stream, deliveries[1]))).toContain(3);
  });

  test('reports that the last message of a channel is missing', () => {
    expect(lawsAfter((_, { stream, deliveries }) => remove(stream, deliveries.at(-1)))).toContain(3);
  });

  test('reports two messages in the wrong order', () => {
    const laws = lawsAfter((_, { deliveries: [, one, two] }) => {
      [one!.event, two!.event] = [two!.event, one!.event];
    });
    expect(laws).toContain(2);
  });

  test('reports a message that was received twice', () => {
    const laws = lawsAfter(({ wallClock }, { stream, deliveries }) => {
      stream.received.push({ ...deliveries[1]!, at: wallClock.length, session: stream.sessions.length - 1 });
    });
    expect(laws).toContain(2);
  });

  test('reports a message of a channel that the token is not a member of', () => {
    const laws = lawsAfter((copy, { stream }) => {
      const token = copy.tokens.find(({ name }) => name === stream.token)!;
      const foreign = copy.attempts.find(
        ({ to, message }) =>
          message?.channel && !token.membershipPeriods.some(({ channel }) => to === `channel:${channel}`),
      );
      deliver(copy, stream, foreign!.message!);
    });
    expect(laws).toContain(4);
  });

  test('reports a direct message to another token', () => {
    const laws = lawsAfter((copy, { stream }) => {
      const foreign = copy.attempts.find(
        ({ to, message }) => message && to.startsWith('token:') && to !== `token:${stream.token}`,
      );
      deliver(copy, stream, foreign!.message!);
    });
    expect(laws).toContain(1);
  });

  test('reports a message that was never published', () => {
    const laws = lawsAfter((copy, { stream }) => {
      const message = {
        id: 'msg_1',
        cursor: null,
        previous: null,
        channel: null,
        data: { text: 'boo', padding: '' },
      };
      deliver(copy, stream, message);
    });
    expect(laws).toContain(1);
  });

  test('reports a message that was received after the revocation', () => {
    const laws = lawsAfter((copy) => {
      const { token, end } = copy.tokens
        .flatMap((one) => ({ token: one, end: one.permissionPeriods.find(({ ended }) => ended) }))
        .find(({ token: { name }, end: client }) => {
          return client && copy.streams.some((stream) => stream.token === name && stream.received.length > 0);
        })!;
      const stream = copy.streams.find(
        ({ token: name, received }) => name === token.name && received.length > 0,
      )!;
      const late = copy.attempts.find(({ sent, message }) => message && sent > end!.from.returned)!;
      token.membershipPeriods.push({
        channel: late.message!.channel!,
        began: { sent: 0, returned: 0 },
        ended: undefined,
      });
      deliver(copy, stream, late.message!);
    });
    expect(laws).toContain(1);
  });

  test('reports a Gap event', () => {
    const laws = lawsAfter(({ wallClock }, { stream }) => {
      stream.received.push({
        at: wallClock.length,
        session: 0,
        event: { __typename: 'Gap', reason: 'RETENTION' },
      });
    });
    expect(laws).toContain(3);
  });

  test('reports a connected token that is not online, and a disconnected one that is', () => {
    expect(lawsAfter(({ finalState }) => finalState.online.shift())).toContain(5);
    expect(lawsAfter((_, { stream }) => (stream.isActive = false))).toContain(5);
  });

  test('reports a presence count that is too high', () => {
    expect(lawsAfter(({ finalState }) => finalState.channels[0]!.presence++)).toContain(5);
  });

  test('reports an acknowledged message that is missing in the log', () => {
    expect(lawsAfter(({ finalState }) => finalState.histories[0]!.messages.pop())).toContain(3);
  });
});

/** A client that must receive each of these messages of one channel. */
interface SteadyClient {
  stream: Stream;
  deliveries: ReceivedEvent[];
}

function findSteadyClient(record: SimulationRecord): SteadyClient {
  const index = new RecordIndex(record);
  for (const stream of record.streams) {
    const start = index.startOf(stream);
    if (!stream.isActive || stream.ended !== undefined || !start) continue;
    const entitlement = index.entitlementOf(stream.token);
    const mustReceive = (channel: Channel, { event }: ReceivedEvent) => {
      if (!('message' in event) || event.message.channel !== channel.id) return false;
      const attempt = index.attempt(event.message.data.text)!;
      return (
        attempt.outcome === 'KEPT' &&
        !attempt.ephemeral &&
        attempt.sent > start.returned &&
        entitlement.surelyReceives(channel, attempt.sent, record.finalState.sent)
      );
    };
    for (const channel of record.channels) {
      const deliveries = stream.received.filter((delivery) => mustReceive(channel, delivery));
      if (deliveries.length > 5) return { stream, deliveries };
    }
  }
  throw new Error('No client must receive more than five messages of one channel.');
}

function remove({ received }: Stream, delivery: ReceivedEvent | undefined): void {
  received.splice(received.indexOf(delivery!), 1);
}

function deliver({ wallClock }: SimulationRecord, { received, sessions }: Stream, message: object): void {
  const event = { __typename: 'ChannelMessage', message } as ReceivedEvent['event'];
  received.push({ at: wallClock.length, session: sessions.length - 1, event });
}
