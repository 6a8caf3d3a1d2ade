import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { readMetric } from '../support/read-metric.ts';
import { startService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';
import { TRANSPORTS } from '../support/transports.ts';

const F = 'fragment F on Subscription { events { at } }';
const G = 'fragment G on Subscription { ... on Subscription { events @skip(if: $no) { at } } }';

/** Subscriptions whose root selection is not one unconditional field, or has directives. */
const DOCUMENTS: { query: string; variables?: object; code: string }[] = [
  { query: 'subscription { events @skip(if: true) { at } }' },
  { query: 'subscription { events @skip(if: false) { at } }' },
  { query: 'subscription { events @include(if: false) { at } }' },
  { query: 'subscription ($no: Boolean!) { events @include(if: $no) { at } }', variables: { no: false } },
  { query: 'subscription ($no: Boolean! = false) { events @include(if: $no) { at } }' },
  { query: `subscription { ...F @skip(if: true) } ${F}` },
  { query: `subscription ($no: Boolean!) { ...F @include(if: $no) } ${F}`, variables: { no: false } },
  { query: 'subscription { ... on Subscription @skip(if: true) { events { at } } }' },
  { query: 'subscription { ... @include(if: false) { events { at } } }' },
  { query: `subscription ($no: Boolean!) { ...G } ${G}`, variables: { no: true } },
  { query: `subscription ($no: Boolean!) { ... { ...G ...G } } ${G}`, variables: { no: true } },
  { query: 'subscription { messages(channel: "x") @skip(if: true) { id } }' },
  { query: 'subscription { presence(channel: "x") @skip(if: true) { at } }' },
  { query: 'subscription { channelState(channel: "x") @skip(if: true) { id } }' },
  { query: 'subscription { events { at } messages(channel: "x") { id } }' },
  { query: 'subscription { a: events { at } b: events { at } }' },
  { query: 'subscription { __typename }' },
  { query: 'subscription { events { at } __typename }' },
  { query: 'subscription { __schema { queryType { name } } }' },
  {
    query:
      'subscription { ...F ...F2 } fragment F on Subscription { events { at } } fragment F2 on Subscription { x: events { at } }',
  },
  { query: 'subscription { ...F } fragment F on Subscription { ...F }' },
  { query: 'subscription { ...Missing }' },
  { query: 'subscription { ... on Query { viewer { kind } } }' },
  { query: 'subscription { ... @defer { events { at } } }' },
  { query: 'subscription { events { at } @stream }', code: 'GRAPHQL_PARSE_FAILED' },
  { query: 'subscription { events @unknown { at } }' },
  { query: 'subscription @skip(if: true) { events { at } }' },
  { query: 'subscription { }', code: 'GRAPHQL_PARSE_FAILED' },
  { query: 'subscription { ... { } }', code: 'GRAPHQL_PARSE_FAILED' },
].map((document) => ({ code: 'GRAPHQL_VALIDATION_FAILED', ...document }));

test('a subscription without one unconditional root field is an error of the operation, never a fault', async () => {
  await using signalbox = await startService();
  const { credential } = await mint(signalbox);
  for (const { query, variables, code } of DOCUMENTS) {
    for (const [transport, ask] of Object.entries(TRANSPORTS)) {
      const { data, errors } = await ask(signalbox, credential, { query, ...(variables && { variables }) });
      expect({
        transport,
        query,
        data,
        codes: [...new Set(errors?.map(({ extensions }) => extensions['code']))],
      }).toEqual({
        transport,
        query,
        data: undefined,
        codes: [code],
      });
    }
  }
  expect(await readMetric(signalbox, 'signalbox_faults_total')).toBe(0);
});

test('the socket stays open after such an operation, and conditions below the root are allowed', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'x', { type: 'UNPROTECTED' });
  using socket = await connectSocket(signalbox);
  for (const [index, { query, variables }] of DOCUMENTS.entries()) {
    socket.send({ id: `${index}`, type: 'subscribe', payload: { query, variables } });
    expect(await socket.next()).toMatchObject({ id: `${index}`, type: 'error' });
  }
  const query = `subscription ($no: Boolean!) { ...R } fragment R on Subscription {
    events { at @skip(if: true) ... @include(if: $no) { at } __typename @include(if: true) } }`;
  socket.send({ id: 'fine', type: 'subscribe', payload: { query, variables: { no: false } } });
  expect(await socket.next()).toMatchObject({ payload: { data: { events: { __typename: 'Connected' } } } });
});
