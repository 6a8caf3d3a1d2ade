import fc from 'fast-check';
import {
  execute,
  GraphQLError,
  GraphQLInt,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  parse,
  validate,
  type ExecutionArgs,
} from 'graphql';
import { expect, test } from 'vitest';
import { internBatch } from '../../src/batch.ts';
import { type Sender } from '../../src/broker/message.ts';
import { type Domain } from '../../src/schema/context.ts';
import { OperationId } from '../../src/transport/operation-id.ts';
import { type SerializedResults } from '../../src/transport/serialized-results.ts';
import { createSharedOperations, type SharedOperation } from '../../src/transport/shared-operation.ts';
import { type PublicError } from '../../src/transport/public-errors.ts';
import {
  COMMON_FIELDS,
  createTinySchema,
  SENDER_FIELDS,
  VIEWER_FIELDS,
  type TinyEvent,
} from '../support/tiny-schema.ts';

let executions = 0;
const schema = createTinySchema(() => executions++);
const publicError: PublicError = (error) =>
  error instanceof GraphQLError ? error : new GraphQLError(String(error));
/** The fields of the tiny schema do not use the domain. */
const NO_DOMAIN = {} as Domain;
const createOperations = () => createSharedOperations({ domain: NO_DOMAIN, publicError });

/** The execution arguments of one subscriber, as for graphql-js. */
function argsFor(query: string, variables: Record<string, unknown> = {}, viewer = 'ada'): ExecutionArgs {
  const document = parse(query);
  expect(validate(schema, document)).toEqual([]);
  const caller = { kind: 'TOKEN', name: viewer, token: { id: viewer } };
  const connection = { id: `socket of ${viewer}`, caller };
  const isSender = ({ tokenId }: Sender) => tokenId === viewer;
  const contextValue = { caller, connection, isSender, connect: async () => connection };
  return { schema, document, variableValues: variables, contextValue };
}

/** The payload that a client reads from the frame of operation `id`. */
async function payloadOf(results: SerializedResults | Promise<SerializedResults>, id = '1') {
  const operationId = new OperationId(id);
  const frame = (await results).framesFor(operationId).bytesFor(operationId);
  const header = { 126: 4, 127: 10 }[frame[1]!] ?? 2;
  const message = JSON.parse(frame.subarray(header).toString());
  expect(message).toMatchObject({ id, type: 'next' });
  return message.payload;
}

/** The payload that graphql-js produces for this subscriber alone. */
async function reference(event: TinyEvent, args: ExecutionArgs) {
  const { data, errors } = await execute({ ...args, rootValue: event });
  return JSON.parse(
    JSON.stringify({ data, ...(errors && { errors: errors.map((error) => publicError(error).toJSON()) }) }),
  );
}

const DECLARATIONS = { $m: 'Int = 7', $v: 'Boolean = true', $w: 'String' };

/** Fields under aliases, some of them with variables or directives. */
const fields = fc
  .array(
    fc.constantFrom(
      ...COMMON_FIELDS,
      ...SENDER_FIELDS,
      ...VIEWER_FIELDS,
      'plus(m: $m)',
      'plus(m: 5)',
      'n @include(if: $v)',
      'n @skip(if: $v)',
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((names) => names.map((name, index) => `f${index}: ${name}`).join(' '));
/** Optionally with a nested selection, which is written as a fragment. */
const selection = fc.record({ fields, inner: fc.option(fields) });

/** A subscriber that picks one of two selections. Subscribers write the same selection in different ways. */
const subscriber = fc.record({
  selection: fc.nat(1),
  argument: fc.constantFrom('', '(where: "a")', '(where: "b", since: 3)', '(where: $w)'),
  spacing: fc.constantFrom(' ', '\n', ' , '),
  variables: fc.record(
    {
      $m: fc.constantFrom(null, 1, 2),
      $v: fc.constantFrom(null, true, false),
      $w: fc.constantFrom('a', 'b'),
    },
    { requiredKeys: [] },
  ),
  viewer: fc.constantFrom('ada', 'bob', 'eve'),
});

type Selection = typeof selection extends fc.Arbitrary<infer T> ? T : never;
type Subscriber = typeof subscriber extends fc.Arbitrary<infer T> ? T : never;

function operationOf(
  selected: Selection,
  { argument, spacing, variables, viewer }: Subscriber,
): ExecutionArgs {
  const inner = selected.inner === null ? '' : 'inner { ...More }';
  const more = selected.inner === null ? '' : `fragment More on Event { ${selected.inner} }`;
  const body = `{ happened${argument} { ${selected.fields} ${inner} } } ${more}`;
  const used = Object.entries(DECLARATIONS).filter(([name]) => body.includes(name));
  const declared =
    used.length === 0 ? '' : `(${used.map((declaration) => declaration.join(': ')).join(' ')})`;
  const values = Object.entries(variables).map(([name, value]) => [name.slice(1), value]);
  const text = `subscription ${declared} ${body}`.replaceAll(' ', spacing);
  return argsFor(text, Object.fromEntries(values), viewer);
}

test('every subscriber of a shared operation receives the same payloads as from graphql-js (200 scenarios)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(selection, selection),
      fc.array(subscriber, { minLength: 2, maxLength: 6 }),
      fc.array(fc.nat(5), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      async (selections, subscriberSpecs, numbers, waits) => {
        const operations = createOperations();
        const subscribers = subscriberSpecs.map((spec) => {
          const args = operationOf(selections[spec.selection]!, spec);
          return { args, operation: operations.acquire(args, 'one') };
        });
        const actual: Promise<unknown>[] = [];
        const expected: Promise<unknown>[] = [];
        for (const event of numbers.map((n) => ({ n }))) {
          for (const { args, operation } of subscribers) {
            actual.push(payloadOf(operation.execute(internBatch([event]), args)));
            expected.push(reference(event, args));
          }
          // Without waiting, the next event is executed while this one is still pending.
          if (waits) await Promise.all(actual);
        }
        expect(await Promise.all(actual)).toEqual(await Promise.all(expected));
      },
    ),
    { numRuns: 200 },
  );
});

const OPERATION = 'subscription ($w: String, $m: Int) { happened(where: $w) { n plus(m: $m) slow } }';

test.each([1, 2, 50])(
  '%i subscribers with equivalent operations cost one execution per event',
  async (count) => {
    const operations = createOperations();
    for (const text of [OPERATION, OPERATION.replace('slow', '')]) {
      const subscribers = Array.from({ length: count }, (_, index) => {
        const args = argsFor(text, { w: `value ${index}`, m: 3 }, `viewer ${index}`);
        return { args, operation: operations.acquire(args, 'one') };
      });
      executions = 0;
      for (const event of [{ n: 1 }, { n: 2 }, { n: 3 }]) {
        const allResults = await Promise.all(
          subscribers.map(async ({ args, operation }) => operation.execute(internBatch([event]), args)),
        );
        // Executed once, serialized once, framed once.
        expect(new Set(allResults).size).toBe(1);
        expect(new Set(allResults.map((results) => results.framesFor(new OperationId('1')))).size).toBe(1);
      }
      expect(executions).toBe(3);
      for (const subscriber of subscribers) operations.release(subscriber.operation);
    }
    expect(operations.count).toBe(0);
  },
);

test.each(VIEWER_FIELDS)('%s is executed for each viewer', async (name) => {
  const operations = createOperations();
  const subscribers = ['ada', 'bob', 'eve'].map((viewer) => {
    const args = argsFor(`subscription { happened { n ${name} } }`, {}, viewer);
    return { viewer, args, operation: operations.acquire(args, 'one') };
  });
  expect(operations.count).toBe(1);
  for (const n of [1, 3, 5]) {
    executions = 0;
    const event = { n };
    const payloads = await Promise.all(
      subscribers.map(({ args, operation }) => payloadOf(operation.execute(internBatch([event]), args))),
    );
    subscribers.forEach(({ viewer }, index) =>
      expect(payloads[index].data.happened[name]).toMatch(new RegExp(`^(socket of )?${viewer}$`)),
    );
    // The first event costs one more: the shared execution that accessed the viewer.
    expect(executions).toBe(n === 1 ? 4 : 3);
  }
});

test.each(SENDER_FIELDS)('%s costs one more execution for each sender in a batch', async (name) => {
  const operations = createOperations();
  const viewers = ['ada', 'ada', 'bob', ...Array.from({ length: 50 }, (_, index) => `viewer ${index}`)];
  const subscribers = viewers.map((viewer) => {
    const args = argsFor(`subscription { happened { n ${name} } }`, {}, viewer);
    return { viewer, args, operation: operations.acquire(args, 'one') };
  });
  for (const numbers of [[1], [2], [1, 2]]) {
    executions = 0;
    const batch = internBatch(numbers.map((n) => ({ n })));
    const all = await Promise.all(
      subscribers.map(async ({ args, operation }) => operation.execute(batch, args)),
    );
    expect(new Set(all).size).toBe(1 + numbers.length);
    expect(executions).toBe((1 + numbers.length) * batch.length);
    // A frame of one event can be read as a whole.
    if (numbers.length > 1) continue;
    for (const [index, { viewer }] of subscribers.entries()) {
      const { data } = await payloadOf(all[index]!);
      expect(data.happened[name]).toBe(viewer === (numbers[0] === 1 ? 'ada' : 'bob') ? `of ${viewer}` : null);
    }
  }
});

test('a field that accesses the viewer for some events is shared until the first of them', async () => {
  const operations = createOperations();
  const [ada, bob] = ['ada', 'bob'].map((viewer) =>
    argsFor('subscription { happened { viewerOnOdd } }', {}, viewer),
  ) as [ExecutionArgs, ExecutionArgs];
  const shared = operations.acquire(ada, 'one');
  operations.acquire(bob, 'one');
  const deliver = async (event: TinyEvent) => {
    const payloads = await Promise.all(
      [ada, bob].map((args) => payloadOf(shared.execute(internBatch([event]), args))),
    );
    return payloads.map(({ data }) => data.happened.viewerOnOdd);
  };
  executions = 0;
  expect(await deliver({ n: 2 })).toEqual(['anyone', 'anyone']);
  expect(executions).toBe(1);
  expect(await deliver({ n: 1 })).toEqual(['ada', 'bob']);
  expect(await deliver({ n: 4 })).toEqual(['anyone', 'anyone']);
});

test('a per-viewer operation is shared again after its last subscriber has left', async () => {
  const operations = createOperations();
  const args = argsFor('subscription { happened { viewer } }');
  const perViewer = operations.acquire(args, 'one');
  await perViewer.execute([{ n: 1 }], args);
  operations.release(perViewer);
  expect(operations.count).toBe(0);
  const next = operations.acquire(args, 'one');
  expect(next).not.toBe(perViewer);
  executions = 0;
  expect((await payloadOf(next.execute([{ n: 1 }], args))).data).toEqual({ happened: { viewer: 'ada' } });
  expect(executions).toBe(2);
});

test('an operation is removed when each of its subscribers has released it', () => {
  const operations = createOperations();
  const args = argsFor(OPERATION);
  const [first, second] = [operations.acquire(args, 'one'), operations.acquire(args, 'one')];
  expect(second).toBe(first);
  operations.release(first);
  expect(operations.count).toBe(1);
  operations.release(second);
  expect(operations.count).toBe(0);
});

interface AcquireOptions {
  query?: string;
  variables?: Record<string, unknown>;
  project?: string;
  operationName?: string;
}
const TWO = 'subscription A { happened { n } } subscription B { happened { plus } }';
const OPTIONAL = 'subscription ($v: Boolean = true) { happened { plus n @include(if: $v) } }';
const VARIABLES = { w: 'a', m: 1 };

test.each<[string, AcquireOptions, AcquireOptions, boolean]>([
  ['other spaces and commas', {}, { query: OPERATION.replaceAll(' ', ' ,\n') }, true],
  ['another root argument', { variables: VARIABLES }, { variables: { ...VARIABLES, w: 'b' } }, true],
  ['another variable below the root', { variables: VARIABLES }, { variables: { ...VARIABLES, m: 2 } }, false],
  ['a variable that is absent', { variables: { m: null } }, { variables: {} }, false],
  ['null instead of a default', { query: OPTIONAL }, { query: OPTIONAL, variables: { v: null } }, false],
  ['unused variables named like object members', {}, { variables: { constructor: 1, toString: 2 } }, true],
  ['an alias', {}, { query: OPERATION.replace(' n ', ' m: n ') }, false],
  ['an alias of the root', {}, { query: OPERATION.replace('happened', 'it: happened') }, false],
  ['another order', {}, { query: OPERATION.replace('n plus(m: $m)', 'plus(m: $m) n') }, false],
  ['another project', {}, { project: 'two' }, false],
  [
    'another operation of a document',
    { query: TWO, operationName: 'A' },
    { query: TWO, operationName: 'B' },
    false,
  ],
])('two subscribers with %s: shared or not', (_, one, other, isShared) => {
  const operations = createOperations();
  const acquire = ({
    query: text = OPERATION,
    variables: values,
    project = 'one',
    operationName,
  }: AcquireOptions): SharedOperation =>
    operations.acquire({ ...argsFor(text, values), ...(operationName && { operationName }) }, project);
  expect(acquire(one) === acquire(other)).toBe(isShared);
});

test('operations are shared when only the source positions after the root arguments differ', () => {
  const operations = createOperations();
  const acquired = ['(where: "a")', '(where: "b", since: 3)', ''].map((argument) =>
    operations.acquire(argsFor(`subscription { happened${argument} { n } }`), 'one'),
  );
  expect(new Set(acquired).size).toBe(1);
});

test('coerces optional root arguments and their variables when a subscriber begins, not for each event', async () => {
  let coerced = 0;
  const Place = new GraphQLScalarType({
    name: 'Place',
    parseValue(value) {
      coerced++;
      return value;
    },
  });
  const args = { where: { type: Place }, channel: { type: new GraphQLNonNull(Place) } };
  const placed = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { n: { type: GraphQLInt } } }),
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: {
        everywhere: { type: GraphQLInt, args: { where: args.where }, resolve: (n: unknown) => n },
        somewhere: { type: GraphQLInt, args, resolve: (n: unknown) => n },
      },
    }),
  });
  const executed = async (query: string, variableValues: Record<string, unknown>) => {
    coerced = 0;
    const subscriber = { schema: placed, document: parse(query), variableValues, contextValue: {} };
    expect(validate(placed, subscriber.document)).toEqual([]);
    const { data } = await payloadOf(createOperations().acquire(subscriber, 'one').execute([7], subscriber));
    return { data, coerced };
  };
  expect(await executed('subscription ($a: Place) { everywhere(where: $a) }', { a: 'x' })).toEqual({
    data: { everywhere: 7 },
    coerced: 0,
  });
  expect(
    await executed('subscription ($a: Place, $b: Place!) { somewhere(where: $a, channel: $b) }', {
      a: 'x',
      b: 'y',
    }),
  ).toEqual({ data: { somewhere: 7 }, coerced: 1 });
});

test('an error contains the locations in the document of each subscriber', async () => {
  const operations = createOperations();
  const [tight, wide] = ['{failsOnOdd}', '{\n\n  failsOnOdd }'].map((fields) =>
    argsFor(`subscription { happened ${fields} }`),
  ) as [ExecutionArgs, ExecutionArgs];
  const shared = operations.acquire(tight, 'one');
  expect(operations.acquire(wide, 'one')).toBe(shared);
  const event = { n: 1 };
  const payloads = await Promise.all(
    [tight, wide].map((args) => payloadOf(shared.execute(internBatch([event]), args))),
  );
  expect(payloads.map(({ errors }) => errors[0].locations[0].line)).toEqual([1, 3]);
  expect(payloads[0].errors[0].message).toBe('1 is odd.');
});
