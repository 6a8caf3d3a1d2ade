import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { createSchema } from '../../src/schema/schema.ts';
import { costOf, findLimitErrors } from '../../src/transport/document-limits.ts';
import { createChannel, mint } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { startService } from '../support/service.ts';
import { askEachTransport, TRANSPORTS } from '../support/transports.ts';

/** A page of 100 rows, of which nothing but the type is selected. */
const PAGE = '{ channel(id: "news") { messages(last: 100) { __typename } } }';

/** Costs 10 + 2. */
const SMALL = '{ viewer { kind } }';

/** The budget of each test: a burst of 2,400, which is 200 small operations. */
const RATE = 1_200;

const REFUSED = [
  { extensions: { code: 'RATE_LIMITED', retryable: true, retryAfterSeconds: expect.any(Number) as number } },
];

test.each(Object.keys(TRANSPORTS))(
  'a token that reads pages over %s is refused when its budget is used up, and may read again later',
  async (transport) => {
    const clock = createManualClock();
    await using signalbox = await startService({ operationCostPerSecondPerToken: RATE }, { clock });
    await createChannel(signalbox, 'news', { type: 'PUBLIC' });
    const { credential } = await mint(signalbox);
    const ask = () => TRANSPORTS[transport]!(signalbox, credential, { query: PAGE });
    // Each page costs 612, so a burst of 2,400 has room for three.
    for (let page = 0; page < 3; page++) expect((await ask()).errors).toBeUndefined();
    const refused = await ask();
    expect(refused.data).toBeUndefined();
    expect(refused.errors).toMatchObject(REFUSED);
    // Another token and the backend are not affected.
    expect((await signalbox.ask(PAGE, {}, (await mint(signalbox)).credential)).errors).toBeUndefined();
    expect((await signalbox.ask(PAGE)).errors).toBeUndefined();
    await clock.advance(1000);
    expect((await ask()).errors).toBeUndefined();
  },
);

test('all tokens and anonymous callers of an address share its budget, and API keys do not use it', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ operationCostPerSecondPerAddress: RATE }, { clock });
  await createChannel(signalbox, 'news', { type: 'UNPROTECTED' });
  const [ada, bob] = [await mint(signalbox), await mint(signalbox)];
  for (const credential of [ada.credential, bob.credential, null])
    expect((await signalbox.ask(PAGE, {}, credential)).errors).toBeUndefined();
  for (const credential of [ada.credential, bob.credential, null])
    expect((await signalbox.ask(PAGE, {}, credential)).errors).toMatchObject(REFUSED);
  for (let page = 0; page < 10; page++) expect((await signalbox.ask(PAGE)).errors).toBeUndefined();
});

test('an API key has a budget of its own', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ operationCostPerSecondPerKey: RATE }, { clock });
  await createChannel(signalbox, 'news');
  let answered = 0;
  while (!(await signalbox.ask(PAGE)).errors) answered++;
  expect(answered).toBe(3);
});

test('an operation that costs more than a full budget is accepted once', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ operationCostPerSecondPerToken: 100 }, { clock });
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const { credential } = await mint(signalbox);
  expect((await signalbox.ask(PAGE, {}, credential)).errors).toBeUndefined();
  for (const seconds of [0, 1, 2]) {
    await clock.advance(seconds * 1000);
    const { errors } = await signalbox.ask(PAGE, {}, credential);
    expect({ seconds, errors }).toMatchObject({ seconds, errors: REFUSED });
  }
  await clock.advance(1000);
  expect((await signalbox.ask(PAGE, {}, credential)).errors).toBeUndefined();
});

test('a subscription that starts is charged', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({ operationCostPerSecondPerToken: 100 }, { clock });
  const { credential } = await mint(signalbox);
  const answers = await askEachTransport(signalbox, credential, { query: SMALL });
  expect(Object.values(answers).filter(({ errors }) => errors)).toEqual([]);
  const client = signalbox.client({ token: credential });
  let refusal: unknown;
  for (let started = 0; started < 20 && refusal === undefined; started++) {
    const events = client.iterate({ query: 'subscription { events { at } }' });
    const first = await events.next().catch((error: unknown) => ({ error }));
    refusal = 'error' in first ? first.error : first.value?.errors;
    await events.return?.();
  }
  expect(refusal).toMatchObject(REFUSED);
});

test.each([
  [PAGE, 2 + 100 * 6],
  ['{ channel(id: "news") { messages(last: 100) { pageInfo { __typename } } } }', 2 + 100 * 7],
  ['{ channel(id: "news") { messages { nodes @skip(if: true) { id } } } }', 2 + 20 * 7],
  [SMALL, 2],
])('the rows of a page cost also when none of their fields is selected: %s', (query, cost) => {
  const schema = createSchema();
  const document = parse(query);
  const limits = { maxDepth: 9, maxAliases: 9, maxDirectives: 9, maxCost: 10_000 };
  expect(findLimitErrors(schema, document, limits)).toEqual([]);
  expect(costOf(document, undefined)).toBe(cost);
});

test('an operation that the budget of the address refuses takes nothing from the budget of the token', async () => {
  const clock = createManualClock();
  const config = {
    operationCostPerSecondPerToken: 30,
    operationCostPerSecondPerAddress: 24,
    trustedProxies: 1,
  };
  await using signalbox = await startService(config, { clock });
  const { credential } = await mint(signalbox);
  const ask = async (address: string) => {
    const response = await fetch(`${signalbox.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-for': address,
        authorization: `Bearer ${credential}`,
      },
      body: JSON.stringify({ query: SMALL }),
    });
    return ((await response.json()) as { errors?: unknown[] }).errors;
  };
  // Each costs 12: the address has room for 4, the token for 5.
  for (let i = 0; i < 4; i++) expect(await ask('192.0.2.1')).toBeUndefined();
  for (let i = 0; i < 3; i++) expect(await ask('192.0.2.1')).toMatchObject(REFUSED);
  expect(await ask('192.0.2.2')).toBeUndefined();
  expect(await ask('192.0.2.2')).toMatchObject(REFUSED);
});
