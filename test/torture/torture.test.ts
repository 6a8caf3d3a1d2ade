import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openPostgres } from '../../src/store/postgres.ts';
import { requirePostgres, sharedPostgres } from '../support/postgres.ts';
import {
  findViolations,
  type Loss,
  type ReceivedMessage,
  type Restart,
  type VisitHistory,
} from './history.ts';
import { torture } from './run.ts';
import { SABOTAGES, sabotagedFiles } from './sabotage.ts';

const START = { cursor: 'c1', ordinal: 1 };

function message(ordinal: number, over: Partial<ReceivedMessage> = {}): ReceivedMessage {
  return {
    id: `m${ordinal}`,
    channel: 'north',
    cursor: `c${ordinal}`,
    previous: `c${ordinal - 1}`,
    ordinal,
    data: `d${ordinal}`,
    ...over,
  };
}

const PUBLISHED = new Map([
  ['d2', { channel: 'north', startedAt: 20, acknowledged: { id: 'm2', at: 25 } }],
  ['d3', { channel: 'north', startedAt: 30, acknowledged: { id: 'm3', at: 35 } }],
  ['d4', { channel: 'north', startedAt: 40 }],
]);

const check = (received: ReceivedMessage[], problems: string[] = []) =>
  findViolations({
    published: PUBLISHED,
    subscribers: [
      {
        name: 'ada',
        channels: ['north'],
        received,
        start: new Map([['north', START]]),
        restarts: [],
        problems,
      },
    ],
    visits: [],
    losses: [],
  });

test.each([
  ['a lost message', [message(2)], ['“d3” was acknowledged and not received']],
  [
    'a message that was received twice',
    [message(2), message(2), message(3)],
    ['“d2” was received twice', '“d2” has number 2 after 2', '“d2” does not name the message before it'],
  ],
  [
    'one key that was published twice',
    [message(2), message(3, { data: 'd2' }), message(4, { data: 'd3', id: 'm3' })],
    ['“d2” was published twice, as m2 and m3', '“d2” was acknowledged as m2, received as m3'],
  ],
  [
    'a broken chain',
    [message(2), message(3, { previous: 'c1' })],
    ['“d3” does not name the message before it'],
  ],
  [
    'a wrong order',
    [message(3), message(2)],
    ['“d3” has number 3 after 1', '“d3” does not name', '“d2” has number 2 after 3', '“d2” does not name'],
  ],
])('the checker reports %s', (_, received, violations) => {
  const found = check(received);
  expect(found).toHaveLength(violations.length);
  violations.forEach((violation, index) => expect(found[index]).toContain(violation));
});

test('after a lost position, the checker expects the messages again that the subscriber dropped', () => {
  const after = (restarts: Restart[], received: ReceivedMessage[]) =>
    findViolations({
      published: PUBLISHED,
      subscribers: [
        {
          name: 'ada',
          channels: ['north'],
          received,
          start: new Map([['north', START]]),
          restarts,
          problems: [],
        },
      ],
      visits: [],
      losses: [{ from: 0, to: 1 }],
    });
  const twice = [message(2), message(3), message(3)];
  expect(after([{ received: 2, kept: 1 }], twice)).toEqual([]);
  expect(after([{ received: 2, kept: 0 }], [message(2), message(3), message(2), message(3)])).toEqual([]);
  expect(after([{ received: 2, kept: 2 }], twice)).toContain('ada, north: “d3” was received twice');
  expect(after([{ received: 2, kept: 1 }], [message(2), message(3)])).toEqual([
    'ada, north: “d3” was acknowledged and not received',
  ]);
});

test('the checker reports gaps, and nothing about a correct history', () => {
  expect(check([message(2), message(3)])).toEqual([]);
  expect(check([message(2), message(3)], ['a gap'])).toEqual(['ada: a gap']);
});

test.each<[string, Partial<VisitHistory & { losses: Loss[] }>, string[]]>([
  ['nothing about messages of the time of the membership', {}, []],
  [
    'a message from before the membership',
    { startedAt: 26 },
    ['“d2” was received, and acknowledged before the membership began'],
  ],
  ['nothing about a message of the moment in which the membership began', { startedAt: 24 }, []],
  [
    'a message that was published after the access had ended',
    { endedAt: 29 },
    ['“d3” was received, and published after the access had ended'],
  ],
  [
    'nothing about such a message if a promotion may have lost the end of the access before it arrived',
    { endedAt: 29, losses: [{ from: 39, to: 50 }] },
    [],
  ],
  [
    'such a message if it arrived before the promotion',
    { endedAt: 29, losses: [{ from: 41, to: 50 }] },
    ['“d3” was received, and published after the access had ended'],
  ],
  [
    'such a message if the promotion was before the end of the access',
    { endedAt: 29, losses: [{ from: 20, to: 28 }] },
    ['“d3” was received, and published after the access had ended'],
  ],
])('the checker reports %s', (_, { losses = [], ...over }, violations) => {
  const visit = {
    name: 'eve',
    channel: 'north',
    startedAt: 0,
    endedAt: 100,
    received: ['d2', 'd3'].map((data) => ({ data, at: 40 })),
    ...over,
  };
  expect(findViolations({ published: PUBLISHED, subscribers: [], visits: [visit], losses })).toEqual(
    violations.map((violation) => `eve: ${violation}`),
  );
});

test('every safeguard that a run of the checker can take away is in the code and in the database', async (context) => {
  requirePostgres(context);
  const server = await sharedPostgres();
  const url = await server.createDatabase();
  await (await openPostgres({ url, connections: 1, nodeId: 'node_test' }))[Symbol.asyncDispose]();
  const log = readFileSync(new URL('../../dist/messages/log/postgres-log-store.js', import.meta.url), 'utf8');
  for (const sabotage of Object.values(SABOTAGES)) {
    expect(sabotagedFiles(sabotage).size > 0 || sabotage.statements.length > 0).toBe(true);
    for (const [, changed] of sabotage.statements.join().matchAll(/'(\w+)'::regproc/g))
      expect(log).toContain(`SELECT ${changed}(`);
    // A change of a function that does not contain the piece is an error. Undone, because two change the same function.
    await server.query(url, ['BEGIN', ...sabotage.statements, 'ROLLBACK'].join(';\n'));
  }
});

test(
  'two nodes lose and repeat no acknowledged message while processes and connections fail',
  { timeout: 90_000 },
  async (context) => {
    requirePostgres(context);
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
    const lines: string[] = [];
    const { violations, acknowledged } = await torture({
      seed,
      durationMs: 5000,
      nodes: 2,
      longestStopMs: 1500,
      longestQuietMs: 800,
      report: (line) => lines.push(line),
    });
    expect({ violations, seed, lines }).toEqual({ violations: [], seed, lines });
    expect(acknowledged).toBeGreaterThan(0);
  },
);
