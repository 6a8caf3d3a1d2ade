import { beforeAll, describe, expect, test } from 'vitest';
import { check } from './check.ts';
import { Facts } from './facts.ts';
import { DEFAULT_EVENING, playEvening } from './run.ts';
import { type Evening, type Place, type Seen, type Stream } from './record.ts';
import { describeEvening } from './report.ts';

/** Of an evening that is to be played again; the interleaving is the machine’s. */
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));

test(`a busy evening keeps laws 1 to 5: SEED=${seed}`, { timeout: 120_000 }, async () => {
  const evening = await playEvening({ ...DEFAULT_EVENING, seed });
  const { violations, coverage } = check(evening);
  expect(violations).toEqual([]);

  const figures = describeEvening(evening);
  expect(figures.clients).toBeGreaterThan(DEFAULT_EVENING.tokens);
  expect(figures.published).toBeGreaterThan(1000);
  for (const name of ['cuts', 'resumes', 'replays', 'bySocket', 'ephemeral', 'direct'] as const) {
    expect(figures[name], name).toBeGreaterThan(50);
  }
  for (const name of ['revocations', 'expiries', 'changes', 'partings', 'patches', 'asked'] as const) {
    expect(figures[name], name).toBeGreaterThan(5);
  }
  const { required, forbidden, undecided } = coverage;
  expect(required).toBeGreaterThan(10_000);
  expect(undecided).toBeLessThan((required + forbidden) / 4);
});

describe('the checker finds, in a small evening', () => {
  let evening: Evening;

  beforeAll(async () => {
    evening = await playEvening({ seed: 7, tokens: 40, channels: 8, lanes: 4, acts: 150 });
  }, 60_000);

  test('nothing, as long as nobody tampers with it', () => {
    expect(check(evening).violations).toEqual([]);
  });

  /** Tells whether `tamper`, done to a copy, is found: the laws that are then broken. */
  function lawsAfter(tamper: (copy: Evening, found: Steady) => void): Set<number> {
    const copy = structuredClone<Evening>(evening);
    tamper(copy, findSteady(copy));
    return new Set(check(copy).violations.map(({ law }) => law));
  }

  test('a message that is missing', () => {
    expect(lawsAfter((_, { stream, sights }) => remove(stream, sights[1]))).toContain(3);
  });

  test('the last message of a channel that is missing', () => {
    expect(lawsAfter((_, { stream, sights }) => remove(stream, sights.at(-1)))).toContain(3);
  });

  test('two that are swapped', () => {
    const laws = lawsAfter((_, { sights: [, one, two] }) => {
      [one!.event, two!.event] = [two!.event, one!.event];
    });
    expect(laws).toContain(2);
  });

  test('one that was seen twice', () => {
    const laws = lawsAfter(({ walls }, { stream, sights }) => {
      stream.seen.push({ ...sights[1]!, at: walls.length, session: stream.sessions.length - 1 });
    });
    expect(laws).toContain(2);
  });

  test('one from a channel that the client is not in', () => {
    const laws = lawsAfter((copy, { stream }) => {
      const bearer = copy.bearers.find(({ name }) => name === stream.bearer)!;
      const foreign = copy.said.find(
        ({ to, message }) =>
          message?.channel && !bearer.stays.some(({ channel }) => to === `channel:${channel}`),
      );
      see(copy, stream, foreign!.message!);
    });
    expect(laws).toContain(4);
  });

  test('a direct message to somebody else', () => {
    const laws = lawsAfter((copy, { stream }) => {
      const foreign = copy.said.find(
        ({ to, message }) => message && to.startsWith('token:') && to !== `token:${stream.bearer}`,
      );
      see(copy, stream, foreign!.message!);
    });
    expect(laws).toContain(1);
  });

  test('one that nobody said', () => {
    const laws = lawsAfter((copy, { stream }) => {
      const message = {
        id: 'msg_1',
        cursor: null,
        previous: null,
        channel: null,
        data: { text: 'boo', padding: '' },
      };
      see(copy, stream, message);
    });
    expect(laws).toContain(1);
  });

  test('one that came after the revocation', () => {
    const laws = lawsAfter((copy) => {
      const { bearer, end } = copy.bearers
        .flatMap((one) => ({ bearer: one, end: one.regimes.find(({ ended }) => ended) }))
        .find(({ bearer: { name }, end: found }) => {
          return found && copy.streams.some((stream) => stream.bearer === name && stream.seen.length > 0);
        })!;
      const stream = copy.streams.find(({ bearer: name, seen }) => name === bearer.name && seen.length > 0)!;
      const late = copy.said.find(({ sent, message }) => message && sent > end!.from.returned)!;
      bearer.stays.push({
        channel: late.message!.channel!,
        began: { sent: 0, returned: 0 },
        ended: undefined,
      });
      see(copy, stream, late.message!);
    });
    expect(laws).toContain(1);
  });

  test('a gap', () => {
    const laws = lawsAfter(({ walls }, { stream }) => {
      stream.seen.push({ at: walls.length, session: 0, event: { __typename: 'Gap' } });
    });
    expect(laws).toContain(3);
  });

  test('somebody who is here and is not online, and the other way round', () => {
    expect(lawsAfter(({ ending }) => ending.online.shift())).toContain(5);
    expect(lawsAfter((_, { stream }) => (stream.isHere = false))).toContain(5);
  });

  test('one too many in a channel', () => {
    expect(lawsAfter(({ ending }) => ending.channels[0]!.presence++)).toContain(5);
  });

  test('a message that was acknowledged and is not in the log', () => {
    expect(lawsAfter(({ ending }) => ending.histories[0]!.messages.pop())).toContain(3);
  });
});

/** A client that surely heard one channel while all of these were said, and to the end. */
interface Steady {
  stream: Stream;
  sights: Seen[];
}

function findSteady(evening: Evening): Steady {
  const facts = new Facts(evening);
  for (const stream of evening.streams) {
    const base = facts.baseOf(stream);
    if (!stream.isHere || stream.ended !== undefined || !base) continue;
    const entitlement = facts.entitlementOf(stream.bearer);
    const mustHear = (place: Place, { event }: Seen) => {
      if (!('message' in event) || event.message.channel !== place.id) return false;
      const said = facts.said(event.message.data.text)!;
      return (
        said.outcome === 'KEPT' &&
        !said.ephemeral &&
        said.sent > base.returned &&
        entitlement.surelyHears(place, said.sent, evening.ending.sent)
      );
    };
    for (const place of evening.places) {
      const sights = stream.seen.filter((sight) => mustHear(place, sight));
      if (sights.length > 5) return { stream, sights };
    }
  }
  throw new Error('Nobody was steady.');
}

function remove({ seen }: Stream, sight: Seen | undefined): void {
  seen.splice(seen.indexOf(sight!), 1);
}

function see({ walls }: Evening, { seen, sessions }: Stream, message: object): void {
  const event = { __typename: 'ChannelMessage', message } as Seen['event'];
  seen.push({ at: walls.length, session: sessions.length - 1, event });
}
