import fc from 'fast-check';
import { execute, GraphQLError, parse, validate, type ExecutionArgs } from 'graphql';
import { expect, test } from 'vitest';
import { internBatch } from '../../src/batch.ts';
import { type Domain } from '../../src/schema/context.ts';
import { OperationId } from '../../src/transport/operation-id.ts';
import { type SerializedResults } from '../../src/transport/serialized-results.ts';
import { createSharedOperations, type SharedOperation } from '../../src/transport/shared-operation.ts';
import { type PublicError } from '../../src/transport/public-errors.ts';
import { COMMON_FIELDS, createTinySchema, VIEWER_FIELDS, type TinyEvent } from '../support/tiny-schema.ts';

let executions = 0;
const schema = createTinySchema(() => executions++);
const publicError: PublicError = (error) =>
  error instanceof GraphQLError ? error : new GraphQLError(String(error));
/** The fields of this schema ask nothing of it. */
const NO_DOMAIN = {} as Domain;
const begin = () => createSharedOperations({ domain: NO_DOMAIN, publicError });

/** How graphql-js would be called for one subscriber. */
function operation(query: string, variables: Record<string, unknown> = {}, viewer = 'ada'): ExecutionArgs {
  const document = parse(query);
  expect(validate(schema, document)).toEqual([]);
  const connection = { id: `socket of ${viewer}` };
  const contextValue = { caller: { name: viewer }, connection, connect: async () => connection };
  return { schema, document, variableValues: variables, contextValue };
}

/** What a client reads in the frame of operation `id`. */
async function show(executed: SerializedResults | Promise<SerializedResults>, id = '1') {
  const operationId = new OperationId(id);
  const frame = (await executed).framesFor(operationId).bytesFor(operationId);
  const header = { 126: 4, 127: 10 }[frame[1]!] ?? 2;
  const message = JSON.parse(frame.subarray(header).toString());
  expect(message).toMatchObject({ id, type: 'next' });
  return message.payload;
}

/** What graphql-js makes of it for this subscriber alone. */
async function reference(event: TinyEvent, own: ExecutionArgs) {
  const { data, errors } = await execute({ ...own, rootValue: event });
  return JSON.parse(
    JSON.stringify({ data, ...(errors && { errors: errors.map((error) => publicError(error).toJSON()) }) }),
  );
}

const DECLARATIONS = { $m: 'Int = 7', $v: 'Boolean = true', $w: 'String' };

/** A selection of fields under aliases, perhaps with a fragment of more of them one level down. */
const fields = fc
  .array(
    fc.constantFrom(
      ...COMMON_FIELDS,
      ...VIEWER_FIELDS,
      'plus(m: $m)',
      'plus(m: 5)',
      'n @include(if: $v)',
      'n @skip(if: $v)',
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((names) => names.map((name, index) => `f${index}: ${name}`).join(' '));
const look = fc.record({ fields, inner: fc.option(fields) });

/** One of those that look: the same look may be written in many ways. */
const subscriber = fc.record({
  look: fc.nat(1),
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

type Look = typeof look extends fc.Arbitrary<infer T> ? T : never;
type Subscriber = typeof subscriber extends fc.Arbitrary<infer T> ? T : never;

function operationOf(given: Look, { argument, spacing, variables, viewer }: Subscriber): ExecutionArgs {
  const inner = given.inner === null ? '' : 'inner { ...More }';
  const more = given.inner === null ? '' : `fragment More on Event { ${given.inner} }`;
  const body = `{ happened${argument} { ${given.fields} ${inner} } } ${more}`;
  const used = Object.entries(DECLARATIONS).filter(([name]) => body.includes(name));
  const declared =
    used.length === 0 ? '' : `(${used.map((declaration) => declaration.join(': ')).join(' ')})`;
  const values = Object.entries(variables).map(([name, value]) => [name.slice(1), value]);
  const text = `subscription ${declared} ${body}`.replaceAll(' ', spacing);
  return operation(text, Object.fromEntries(values), viewer);
}

test('whoever shares a plan sees of every event exactly what graphql-js would have made for it alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(look, look),
      fc.array(subscriber, { minLength: 2, maxLength: 6 }),
      fc.array(fc.nat(5), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      async (looks, given, numbers, waits) => {
        const plans = begin();
        const subscribers = given.map((one) => {
          const own = operationOf(looks[one.look]!, one);
          return { own, plan: plans.take(own, 'one') };
        });
        const shown: Promise<unknown>[] = [];
        const expected: Promise<unknown>[] = [];
        for (const event of numbers.map((n) => ({ n }))) {
          for (const { own, plan } of subscribers) {
            shown.push(show(plan.execute(internBatch([event]), own)));
            expected.push(reference(event, own));
          }
          // Otherwise the next event comes while this one is still in the making.
          if (waits) await Promise.all(shown);
        }
        expect(await Promise.all(shown)).toEqual(await Promise.all(expected));
      },
    ),
    { numRuns: 200 },
  );
});

const OPERATION = 'subscription ($w: String, $m: Int) { happened(where: $w) { n plus(m: $m) slow } }';

test.each([1, 2, 50])(
  '%i subscribers that look the same way cost one execution for each event',
  async (count) => {
    const plans = begin();
    for (const text of [OPERATION, OPERATION.replace('slow', '')]) {
      const subscribers = Array.from({ length: count }, (_, index) => {
        const own = operation(text, { w: `place ${index}`, m: 3 }, `viewer ${index}`);
        return { own, plan: plans.take(own, 'one') };
      });
      executions = 0;
      for (const event of [{ n: 1 }, { n: 2 }, { n: 3 }]) {
        const made = await Promise.all(
          subscribers.map(async ({ own, plan }) => plan.execute(internBatch([event]), own)),
        );
        // Made once, serialised once, framed once.
        expect(new Set(made).size).toBe(1);
        expect(new Set(made.map((executed) => executed.framesFor(new OperationId('1')))).size).toBe(1);
      }
      expect(executions).toBe(3);
      for (const { plan } of subscribers) plans.release(plan);
    }
    expect(plans.count).toBe(0);
  },
);

test.each(VIEWER_FIELDS)('%s is never shared: each viewer is shown its own', async (name) => {
  const plans = begin();
  const subscribers = ['ada', 'bob', 'eve'].map((viewer) => {
    const own = operation(`subscription { happened { n ${name} } }`, {}, viewer);
    return { viewer, own, plan: plans.take(own, 'one') };
  });
  expect(plans.count).toBe(1);
  for (const n of [1, 3, 5]) {
    executions = 0;
    const event = { n };
    const shown = await Promise.all(
      subscribers.map(({ own, plan }) => show(plan.execute(internBatch([event]), own))),
    );
    subscribers.forEach(({ viewer }, index) =>
      expect(shown[index].data.happened[name]).toMatch(new RegExp(`^(socket of )?${viewer}$`)),
    );
    // One more at first: the one that found out.
    expect(executions).toBe(n === 1 ? 4 : 3);
  }
});

test('a field that asks for the viewer only now and then is shared only when it does not', async () => {
  const plans = begin();
  const [ada, bob] = ['ada', 'bob'].map((viewer) =>
    operation('subscription { happened { viewerOnOdd } }', {}, viewer),
  ) as [ExecutionArgs, ExecutionArgs];
  const plan = plans.take(ada, 'one');
  plans.take(bob, 'one');
  const look = async (event: TinyEvent) => {
    const shown = await Promise.all([ada, bob].map((own) => show(plan.execute(internBatch([event]), own))));
    return shown.map(({ data }) => data.happened.viewerOnOdd);
  };
  executions = 0;
  expect(await look({ n: 2 })).toEqual(['anyone', 'anyone']);
  expect(executions).toBe(1);
  expect(await look({ n: 1 })).toEqual(['ada', 'bob']);
  expect(await look({ n: 4 })).toEqual(['anyone', 'anyone']);
});

test('what is spoilt is forgotten when the last subscriber has gone, and found out again', async () => {
  const plans = begin();
  const own = operation('subscription { happened { viewer } }');
  const plan = plans.take(own, 'one');
  await plan.execute([{ n: 1 }], own);
  plans.release(plan);
  expect(plans.count).toBe(0);
  const next = plans.take(own, 'one');
  expect(next).not.toBe(plan);
  executions = 0;
  expect((await show(next.execute([{ n: 1 }], own))).data).toEqual({ happened: { viewer: 'ada' } });
  expect(executions).toBe(2);
});

test('a plan that was let go by all and taken anew is not ended by a late release', () => {
  const plans = begin();
  const own = operation(OPERATION);
  const [first, second] = [plans.take(own, 'one'), plans.take(own, 'one')];
  expect(second).toBe(first);
  plans.release(first);
  expect(plans.count).toBe(1);
  plans.release(second);
  expect(plans.count).toBe(0);
});

interface Asked {
  query?: string;
  variables?: Record<string, unknown>;
  project?: string;
  operationName?: string;
}
const TWO = 'subscription A { happened { n } } subscription B { happened { plus } }';
const OPTIONAL = 'subscription ($v: Boolean = true) { happened { plus n @include(if: $v) } }';
const GIVEN = { w: 'a', m: 1 };

test.each<[string, Asked, Asked, boolean]>([
  ['other spaces and commas', {}, { query: OPERATION.replaceAll(' ', ' ,\n') }, true],
  ['another place', { variables: GIVEN }, { variables: { ...GIVEN, w: 'b' } }, true],
  ['another variable below the root', { variables: GIVEN }, { variables: { ...GIVEN, m: 2 } }, false],
  ['a variable that is absent', { variables: { m: null } }, { variables: {} }, false],
  ['a default that is refused', { query: OPTIONAL }, { query: OPTIONAL, variables: { v: null } }, false],
  ['a name that objects have', {}, { variables: { constructor: 1, toString: 2 } }, true],
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
])('%s: shared or not', (_, one, other, isShared) => {
  const plans = begin();
  const take = ({
    query: text = OPERATION,
    variables: values,
    project = 'one',
    operationName,
  }: Asked): SharedOperation =>
    plans.take({ ...operation(text, values), ...(operationName && { operationName }) }, project);
  expect(take(one) === take(other)).toBe(isShared);
});

test('places in the text of the root field’s arguments do not keep operations apart', () => {
  const plans = begin();
  const taken = ['(where: "a")', '(where: "b", since: 3)', ''].map((argument) =>
    plans.take(operation(`subscription { happened${argument} { n } }`), 'one'),
  );
  expect(new Set(taken).size).toBe(1);
});

test('an error points into the document of whoever sees it', async () => {
  const plans = begin();
  const [tight, wide] = ['{failsOnOdd}', '{\n\n  failsOnOdd }'].map((fields) =>
    operation(`subscription { happened ${fields} }`),
  ) as [ExecutionArgs, ExecutionArgs];
  const plan = plans.take(tight, 'one');
  expect(plans.take(wide, 'one')).toBe(plan);
  const event = { n: 1 };
  const shown = await Promise.all([tight, wide].map((own) => show(plan.execute(internBatch([event]), own))));
  expect(shown.map(({ errors }) => errors[0].locations[0].line)).toEqual([1, 3]);
  expect(shown[0].errors[0].message).toBe('1 is odd.');
});
