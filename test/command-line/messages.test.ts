import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLineRunner } from '../support/command-line-program.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const { run, json, one } = createLineRunner(() => service);

test.each(['--json', ''])('listens with what “token create %s” printed', async (option) => {
  await run('channel create hall');
  const create = `token create --channel hall ${option}`.trim();
  const { lines } = await run(create);
  await run('publish hall said 1'); // before the token of the cursor below
  const { cursor } = await one('token create');
  await run('publish hall said 2');
  const listened = await run(`listen --credential - --since ${cursor} --count 1`, {
    input: `${lines.join('\n')}\n`,
  });
  expect(listened.lines.at(-1)).toMatch(/hall {2}said {2}\(backend\) {2}2$/);
});

test('a message without a receiver says that only one node counted', async () => {
  await run('channel create empty');
  expect((await run('publish empty said')).lines).toEqual([
    expect.stringMatching(/ to 0 live connections of the node that answered\.$/),
  ]);
});

test('publishes each line of an input, reports what is refused by its number, and repeats nothing with --key', async () => {
  await run('channel create lines');
  const input = '1\n\n{"two":2}\n"€uro"'; // without a line break at the end
  const published = await run('publish lines row - --key import', { input });
  expect(published).toEqual({ code: 0, lines: [], notes: ['Published 3 messages; 0 were refused.'] });
  expect(await json('publish lines row - --key import --batch', { input })).toMatchObject([
    { repeated: true, message: { data: 1 } },
    { repeated: true, message: { data: { two: 2 } } },
    { repeated: true, message: { data: '€uro' } },
  ]);
  const large = `1\n"${'x'.repeat(40_000)}"\n3\n`;
  const refused = await run('publish lines row - --batch', { input: large });
  expect(refused).toMatchObject({ code: 1, lines: [] });
  expect(refused.notes).toEqual([
    expect.stringMatching(/^Line 2: .*\(PAYLOAD_TOO_LARGE\)$/),
    'Published 2 messages; 1 were refused.',
  ]);
  for (const batch of ['', ' --batch']) {
    const broken = await run(`publish lines row -${batch}`, { input: '7\nseven\n' });
    expect(broken).toMatchObject({
      code: 2,
      notes: ['Published 1 message; 0 were refused.', expect.stringContaining('Line 2 is not JSON.')],
    });
  }
});

test('stats shows the figures of the node, and those of the last minutes', async () => {
  expect(await one('stats --project default')).toMatchObject({
    project: 'default',
    totals: { publishes: expect.any(Number), refusals: expect.any(Array) },
  });
  expect((await run('stats')).lines).toContainEqual(expect.stringMatching(/^PUBLISHES +[1-9]\d*$/));
  expect((await run('stats --minutes 5')).lines[0]).toMatch(/^END OF STEP +CONNECTIONS +PUBLISHES/);
  expect(await run('stats --minutes 61')).toMatchObject({ code: 2 });
});

test('activity prints what happens until it has printed as many lines as it should', async () => {
  const done = new AbortController();
  const watching = json('activity --kind channel --count 1').finally(() => done.abort());
  for (let number = 0; !done.signal.aborted; number++) await run(`channel create watched:${number}`);
  expect(await watching).toMatchObject([
    { action: 'channel.create', subject: expect.stringMatching(/^watched:/) },
  ]);
  expect(await run('activity --kind skipped')).toMatchObject({ code: 2 });
  expect(await json('activity --kind channel --recent 1 --count 1')).toMatchObject([
    { action: 'channel.create', subject: expect.stringMatching(/^watched:/), replayed: true },
  ]);
  expect(await run('activity --recent 201')).toMatchObject({ code: 2 });
});

test('bench measures every delivery and leaves no channel behind', async () => {
  expect(await one('bench --subscribers 5 --messages 10')).toMatchObject({ deliveries: 50 });
  expect((await json('channel list')).filter(({ id }) => id.startsWith('bench:'))).toEqual([]);
});
