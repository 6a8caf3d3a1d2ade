import { expect, test } from 'vitest';
import { defaultConfig } from '../../src/config.ts';
import { createSchema } from '../../src/schema/schema.ts';
import { createDocuments } from '../../src/transport/documents.ts';
import { createLog } from '../support/log.ts';
import { startService } from '../support/service.ts';
import { askEachTransport, TRANSPORTS } from '../support/transports.ts';

const LIMITS = { maxDepth: 5, maxAliases: 4, maxDirectives: 3, maxTokens: 100, maxCost: 2000 };

const TAGS = '@include(if: true) @skip(if: false)';

/** For each limit, a document that is just within all limits, and one that exceeds this limit only. */
const rows: {
  unit: string;
  limit: keyof typeof LIMITS;
  within: string;
  beyond: string;
  variables?: object;
}[] = [
  {
    unit: 'levels',
    limit: 'maxDepth',
    within: '{ project { apiKeys { edges { node { id } } } } }',
    beyond:
      '{ project { apiKeys { edges { node { id } } } } channels { edges { node { tokens { totals: nodes { id } } } } } }',
  },
  {
    unit: 'levels within a fragment',
    limit: 'maxDepth',
    within: '{ ...f } fragment f on Query { project { apiKeys { edges { node { id } } } } }',
    beyond:
      '{ channels { nodes { ...c } } } fragment c on Channel { tokens { nodes { connections { id } } } }',
  },
  {
    unit: 'aliases',
    limit: 'maxAliases',
    within: '{ a: viewer { kind } b: viewer { c: kind d: kind } }',
    beyond: '{ a: viewer { kind } b: viewer { c: kind d: kind e: kind } }',
  },
  {
    unit: 'aliases of a fragment at every spread',
    limit: 'maxAliases',
    within: '{ viewer { ...f } viewer { ...f } } fragment f on Viewer { a: kind b: kind }',
    beyond: '{ viewer { ...f } viewer { ...f ...f } } fragment f on Viewer { a: kind b: kind }',
  },
  {
    unit: 'directives',
    limit: 'maxDirectives',
    within: `{ viewer ${TAGS} { kind @skip(if: false) } }`,
    beyond: `{ viewer ${TAGS} { kind ${TAGS} } }`,
  },
  {
    unit: 'directives of a fragment at every spread',
    limit: 'maxDirectives',
    within: `{ viewer { ... ${TAGS} { kind } ...f @skip(if: false) } } fragment f on Viewer { kind }`,
    beyond:
      '{ viewer { ...f ...f } } fragment f on Viewer { kind @skip(if: false) ... @skip(if: false) { kind } }',
  },
  {
    unit: 'tokens',
    limit: 'maxTokens',
    within: `{ viewer { ${'kind '.repeat(90)} } }`,
    beyond: `{ viewer { ${'kind '.repeat(100)} } }`,
  },
  {
    unit: 'result fields',
    limit: 'maxCost',
    within: `{ tokens(first: 99) { nodes { ${'id '.repeat(19)} } } }`,
    beyond: `{ tokens(first: 100) { nodes { ${'id '.repeat(19)} } } }`,
  },
  {
    unit: 'result fields of a list whose size is a variable',
    limit: 'maxCost',
    within: 'query ($n: Int) { channels(first: 6) { nodes { tokens(first: $n) { nodes { id } } } } }',
    beyond: 'query ($n: Int) { channels(first: $n) { nodes { tokens(first: $n) { nodes { id } } } } }',
    variables: { n: 1 },
  },
  {
    unit: 'result fields of a list without a size',
    limit: 'maxCost',
    within: '{ channels { nodes { tokens { nodes { id role } } } } }',
    beyond: '{ channels { nodes { tokens { nodes { id role connections { id transport } } } } } }',
  },
  {
    unit: 'result fields of a costly field under several aliases',
    limit: 'maxCost',
    within: '{ channels(first: 9) { nodes { a: tokens(first: 100) { nodes { id } } } } }',
    beyond:
      '{ channels(first: 9) { nodes { a: tokens(first: 100) { nodes { id } } b: tokens(first: 100) { nodes { id } } } } }',
  },
];

const NESTED: [string, (levels: number) => string][] = [
  ['lists', (levels) => `{ viewer(a: ${'['.repeat(levels)}${']'.repeat(levels)}) { kind } }`],
  ['lists in a directive', (levels) => `{ viewer @skip(if: ${'['.repeat(levels)}${']'.repeat(levels)}) }`],
  ['objects', (levels) => `{ viewer(a: ${'{a:'.repeat(levels)}1${'}'.repeat(levels)}) { kind } }`],
  ['types', (levels) => `query ($a: ${'['.repeat(levels)}Int${']'.repeat(levels)}) { viewer { kind } }`],
  ['selections', (levels) => `${'{a'.repeat(levels)}${'}'.repeat(levels)}`],
  ['fragments', (levels) => `{${'...{'.repeat(levels)}a${'}'.repeat(levels)}}`],
  ['brackets without an end', (levels) => `{ viewer(a: ${'['.repeat(levels)}`],
];
test.each(NESTED)('deeply nested %s are refused by every transport, and are no fault', async (_, make) => {
  const log = createLog();
  await using signalbox = await startService({ maxTokens: 10_000 }, { logger: log.logger });
  for (const levels of [250, 4500]) {
    const answers = await askEachTransport(signalbox, signalbox.apiKey, { query: make(levels) });
    for (const [transport, { errors }] of Object.entries(answers))
      expect({ transport, errors }).toMatchObject({
        transport,
        errors: [{ extensions: { code: 'OPERATION_TOO_COMPLEX', limit: expect.any(Number) } }],
      });
  }
  expect(log.lines.filter((line) => line.includes('"msg":"fault"'))).toEqual([]);
});

test('brackets in a text and in comments are not nested', async () => {
  await using signalbox = await startService();
  const text = '['.repeat(300);
  const query = `query ($a: String = "${text}") { viewer { kind } a: channel(id: $a) { id } } # ${text}`;
  expect((await signalbox.ask(query)).errors?.[0]?.extensions['code']).not.toBe('OPERATION_TOO_COMPLEX');
});

test.each(rows)(
  '$unit are limited equally by every transport',
  async ({ limit, within, beyond, variables = {} }) => {
    await using signalbox = await startService({
      ...LIMITS,
      [limit === 'maxDepth' ? 'maxCost' : 'maxDepth']: 100_000,
    });
    for (const [transport, answer] of Object.entries(
      await askEachTransport(signalbox, signalbox.apiKey, { query: within, variables }),
    )) {
      expect({ transport, errors: answer.errors, data: typeof answer.data }).toEqual({
        transport,
        data: 'object',
      });
    }
    const answers = await askEachTransport(signalbox, signalbox.apiKey, { query: beyond, variables });
    for (const [transport, { data, errors }] of Object.entries(answers)) {
      expect({ transport, data, extensions: errors?.map(({ extensions }) => extensions) }).toEqual({
        transport,
        extensions: [{ code: 'OPERATION_TOO_COMPLEX', retryable: false, limit: LIMITS[limit] }],
      });
      expect(errors).toEqual(answers['HTTP']?.errors);
    }
  },
);

test('rejects a fragment that spreads itself', async () => {
  await using signalbox = await startService();
  const query = '{ viewer { ...a } } fragment a on Viewer { ...b } fragment b on Viewer { ...a }';
  for (const answer of Object.values(await askEachTransport(signalbox, signalbox.apiKey, { query }))) {
    expect(answer.errors?.map(({ extensions }) => extensions['code'])).toEqual(['GRAPHQL_VALIDATION_FAILED']);
  }
});

test('measures fragments that double at each of 60 levels, without walking every spread', async () => {
  await using signalbox = await startService();
  const levels = Array.from(
    { length: 60 },
    (_, i) => `fragment f${i} on Viewer { ...f${i + 1} ...f${i + 1} }`,
  );
  const query = `{ viewer { ...f0 } } ${levels.join(' ')} fragment f60 on Viewer { kind }`;
  const { errors } = await signalbox.ask(query);
  expect(errors?.map(({ extensions }) => extensions['code'])).toEqual(['OPERATION_TOO_COMPLEX']);
});

test.each(Object.keys(TRANSPORTS))('rejects a batch of operations over %s', async (transport) => {
  await using signalbox = await startService();
  const batch = [{ query: '{ viewer { kind } }' }, { query: '{ viewer { kind } }' }];
  if (transport === 'WebSocket') {
    const refused = TRANSPORTS['WebSocket']?.(signalbox, signalbox.apiKey, batch as never);
    await expect(refused).rejects.toThrow('4400');
    return;
  }
  const answer = await TRANSPORTS[transport]?.(signalbox, signalbox.apiKey, batch as never);
  expect(answer?.data).toBeUndefined();
  expect(answer?.errors?.map(({ extensions }) => extensions)).toEqual([
    { code: 'BAD_USER_INPUT', retryable: false },
  ]);
});

test('caches parsed documents until their estimated size exceeds 32 MiB', () => {
  const options = { showsSchema: true, redactMessage: (message: string) => message };
  const documents = createDocuments(createSchema(), defaultConfig({ maxTokens: 10_000 }), options);
  const numbered = (n: number) => `query q${n} { viewer { ${'kind '.repeat(2000)} } }`;
  const first = documents.parse(numbered(0));
  // Compares outside of the assertion, which would take minutes to print the difference of two documents.
  expect(documents.parse(numbered(0)) === first).toBe(true);
  // Each document has about 10,000 characters.
  for (let n = 1; n < 100; n++) documents.parse(numbered(n));
  expect(documents.parse(numbered(99)) === documents.parse(numbered(99))).toBe(true);
  expect(documents.parse(numbered(0)) === first).toBe(false);
  // A document that exceeds the cache by itself is not cached.
  const long = `{ viewer { kind } } # ${'x'.repeat(17_000_000)}`;
  expect(documents.parse(long) === documents.parse(long)).toBe(false);
});
