import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSchema } from '../../src/schema/schema.ts';
import { ROLES } from '../../src/projects/permissions.ts';
import { selectionsOf, SELECTION_VARIABLES, type Allows } from '../support/selections.ts';
import {
  CALLER_NAMES,
  Fixture,
  TOKEN_NAMES,
  type Action,
  type CallerName,
  type TransportPair,
} from '../support/fixture.ts';
import { type Result } from '../support/transport-subscriptions.ts';

// Over WebSocket, subscribers with equivalent operations share one execution. Over SSE, each subscriber has its own.
// A caller that subscribes over both therefore has to receive the same results.

let fixture: Fixture;
beforeAll(async () => (fixture = await Fixture.open()));
afterAll(() => fixture[Symbol.asyncDispose]());

const schema = createSchema();

/**
 * Checks as many scenarios as fit into `ms` milliseconds, at least one. The remaining scenarios, and attempts to shrink a
 * failure after that time, pass without being run.
 */
async function checkFor<Spec>(ms: number, specs: fc.Arbitrary<Spec>, check: (spec: Spec) => Promise<void>) {
  const end = performance.now() + ms;
  const property = fc.asyncProperty(specs, async (spec) => {
    if (performance.now() < end) await check(spec);
  });
  await fc.assert(property, { numRuns: 100 });
}

/** Excludes fields that change while the two subscriptions of a caller start one after the other: connections and presence. */
const isStable: Allows = (within, type, field) =>
  !(within === 'Connected' && type === 'Token' && field === 'connections') &&
  !(['Connected', 'ChannelAvailable', 'ChannelUnavailable'].includes(within) && field === 'presence');

interface SubscriberSpec {
  name: CallerName;
  /** Whether the document starts with a comment, which shifts its source locations. */
  hasComment: boolean;
  variables: Record<string, unknown>;
}

const subscriber = (variables: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<SubscriberSpec> =>
  fc.record({
    name: fc.constantFrom(...CALLER_NAMES),
    hasComment: fc.boolean(),
    variables: fc.record(
      { v: fc.boolean(), w: fc.boolean(), n: fc.constantFrom(null, 1, 2), ...variables },
      { requiredKeys: [] },
    ),
  });

const subscribers = (variables: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.uniqueArray(subscriber(variables), { selector: ({ name }) => name, minLength: 3, maxLength: 6 });

const channelType = fc.constantFrom('UNPROTECTED', 'PUBLIC', 'PRIVATE');
const json = fc.jsonValue({ maxDepth: 2 });
const token = fc.constantFrom(...TOKEN_NAMES);
/** Tokens whose role receives the messages of PUBLIC and PRIVATE channels. */
const nonGuest = fc.constantFrom(...TOKEN_NAMES.filter((name) => name !== 'guest'));

const actionArbitraries = {
  publish: fc.record({
    kind: fc.constant('PUBLISH' as const),
    by: fc.constantFrom('publisher' as const, 'backend' as const),
    event: fc.constantFrom('said' as const, 'other' as const),
    ephemeral: fc.boolean(),
    data: json,
  }),
  sendDirect: fc.record({ kind: fc.constant('SEND_DIRECT' as const), to: token }),
  state: fc.record({ kind: fc.constant('STATE' as const), state: fc.record({ any: json }) }),
  membership: fc.record({ kind: fc.constant('MEMBERSHIP' as const), who: token, begins: fc.boolean() }),
  setPresence: fc.record({ kind: fc.constant('SET_PRESENCE' as const), state: json }),
  leave: fc.constant({ kind: 'LEAVE' as const }),
  join: fc.constant({ kind: 'JOIN' as const }),
} satisfies Record<string, fc.Arbitrary<Action>>;

/** An update of a token. It does not end subscriptions, unless `roles` contains a role that may not subscribe. */
const update = (who: typeof token, roles: string[]): fc.Arbitrary<Action> =>
  fc.record({
    kind: fc.constant('UPDATE' as const),
    who,
    input: fc.oneof(
      fc.constantFrom(...roles).map((role) => ({ role })),
      fc.constantFrom({ grants: null }, { grants: [{ channels: '*', actions: ['SUBSCRIBE'] }] }),
      json.map((state) => ({ state })),
    ),
  });

interface Scenario {
  root: string;
  /** Fields that are always selected, because the test needs them. */
  always?: string;
  declared: Record<string, string>;
  selected: { selection: string; fragments: string };
  type: string;
  subscriberSpecs: SubscriberSpec[];
}

/** Subscribes all callers over both transports, runs `act`, and compares the results of each caller over the two. */
async function compare(
  scenario: Scenario,
  act: (pairs: TransportPair[]) => Promise<void>,
  normalize: (results: readonly Result[]) => readonly Result[] = (results) => results,
): Promise<void> {
  await fixture.reset(scenario.type);
  const pairs: TransportPair[] = [];
  try {
    for (const { name, hasComment, variables } of scenario.subscriberSpecs) {
      const query = `${hasComment ? '# comment\n' : ''}${operationOf(scenario)}`;
      const since = variables['since'] === true ? fixture.since : undefined;
      pairs.push(
        await fixture.subscribe(name, {
          query,
          variables: { ...variables, channel: fixture.channel, since },
        }),
      );
    }
    await act(pairs);
    for (const { name, ws, sse } of pairs) {
      const [shared, own] = [normalize(ws.results), normalize(sse.results)];
      expect({ name, data: shared.map(dataOf) }).toEqual({ name, data: own.map(dataOf) });
      expect({ name, errors: shared.map((result, index) => comparableErrors(result, own[index])) }).toEqual({
        name,
        errors: own.map((result) => result.errors),
      });
    }
  } finally {
    for (const pair of pairs) await pair.stop();
  }
}

const dataOf = ({ data, errors }: Result) => ({ data, hasErrors: errors !== undefined });

/** If several fields make the same parent null, GraphQL reports the first error only, and both orders are correct. */
function comparableErrors({ errors }: Result, own: Result | undefined): Result['errors'] {
  const pathsOf = (list: Result['errors']) => JSON.stringify(list?.map((error) => error.path));
  return pathsOf(errors) === pathsOf(own?.errors) ? errors : own?.errors;
}

function operationOf({ root, always = '', declared, selected: { selection, fragments } }: Scenario): string {
  const body = `{ ${root} { ${always} ${selection || '__typename'} } } ${fragments}`;
  const used = Object.entries({ ...SELECTION_VARIABLES, ...declared }).filter(([name]) =>
    new RegExp(`\\$${name}\\b`).test(body),
  );
  const declarations = used.map(([name, type]) => `$${name}: ${type}`).join(', ');
  return `subscription ${declarations && `(${declarations})`} ${body}`;
}

/** Performs one action after another, each after all accepted subscribers have received the expected number of results. */
async function performAll(
  pairs: TransportPair[],
  actions: Action[],
  expectedCount: (pair: number, done: Action[]) => number,
): Promise<void> {
  for (let done = 0; done <= actions.length; done++) {
    const action = actions[done - 1];
    if (action) await fixture.perform(action);
    const waits = pairs.flatMap(({ ws, sse }, index) =>
      [ws, sse].map((subscription) =>
        subscription.until(({ length }) => length >= expectedCount(index, actions.slice(0, done))),
      ),
    );
    await Promise.all(waits);
  }
  pairs.forEach(({ ws: { results } }, index) => {
    if (!isRefused(results)) expect(results).toHaveLength(expectedCount(index, actions));
  });
}

const isRefused = ([first]: readonly Result[]) => first !== undefined && !('data' in first);

test('events: yields the same results over WebSocket (shared) as over SSE (not shared)', async () => {
  const { leave: _, join: __, ...others } = actionArbitraries;
  const action = fc.oneof(...Object.values(others), update(token, [...ROLES]));
  const specs = fc.record({
    selected: selectionsOf(schema, 'Event', 5, isStable),
    subscriberSpecs: subscribers({ since: fc.boolean(), presence: fc.boolean() }),
    type: channelType,
    actions: fc.array(action, { minLength: 1, maxLength: 5 }),
  });
  const sendSentinel = (pairs: TransportPair[], name: string) =>
    fixture.sendSentinel(pairs, name, ({ results }) => results.some((result) => sentinelOf(result) === name));

  await checkFor(3000, specs, async ({ actions, ...spec }) => {
    const scenario = {
      ...spec,
      root: 'events(since: $since, presence: $presence)',
      always: `kind: __typename
        ... on Connected { mine: connection { id } }
        ... on DirectMessage { sentinel: message { event } }`,
      declared: { since: 'Cursor', presence: 'Boolean' },
    };
    const act = async (pairs: TransportPair[]) => {
      await sendSentinel(pairs, 'sentinel-0');
      for (const [index, action] of actions.entries()) {
        await fixture.perform(action);
        await sendSentinel(pairs, `sentinel-${index + 1}`);
      }
    };
    await compare(scenario, act, withoutSentinels);
  });
});

const sentinelOf = ({ data }: Result): string | undefined => data?.events?.sentinel?.event;

/** Removes sentinels, presence changes during the subscribing, and the fields that identify a connection. */
function withoutSentinels(results: readonly Result[]): Result[] {
  const first = results.findIndex((result) => sentinelOf(result) === 'sentinel-0');
  return results
    .filter((result) => !sentinelOf(result)?.startsWith('sentinel-'))
    .filter(({ data }, index) => index > first || data?.events?.kind !== 'PresenceChanged')
    .map((result) => {
      if (result.data?.events?.kind !== 'Connected') return result;
      return JSON.parse(JSON.stringify(result).replaceAll(/conn_\w{26}|WEBSOCKET|SSE/g, '…'));
    });
}

test('channelState: yields the same results over WebSocket (shared) as over SSE (not shared)', async () => {
  const { state, publish, setPresence, leave, join } = actionArbitraries;
  const action = fc.oneof(
    state,
    state,
    publish,
    setPresence,
    leave,
    join,
    update(nonGuest, ['SUBSCRIBER', 'MODERATOR']),
  );
  const specs = fc.record({
    selected: selectionsOf(schema, 'Channel', 4, isStable),
    subscriberSpecs: subscribers(),
    type: channelType,
    actions: fc.array(action, { maxLength: 5 }),
  });
  await checkFor(1500, specs, async ({ actions, ...spec }) => {
    const scenario = { ...spec, root: 'channelState(channel: $channel)', declared: { channel: 'ID!' } };
    await compare(scenario, (pairs) =>
      performAll(pairs, actions, (_, done) => 1 + done.filter(({ kind }) => kind === 'STATE').length),
    );
  });
});

test('messages: yields the same results over WebSocket (shared) as over SSE (not shared)', async () => {
  const specs = fc.record({
    selected: selectionsOf(schema, 'Message', 3, isStable),
    subscriberSpecs: subscribers({ since: fc.boolean(), names: fc.constantFrom(null, ['said']) }),
    type: channelType,
    actions: fc.array(actionArbitraries.publish, { maxLength: 5 }),
  });
  await checkFor(1000, specs, async ({ actions, ...spec }) => {
    const scenario = {
      ...spec,
      root: 'messages(channel: $channel, since: $since, events: $names)',
      declared: { channel: 'ID!', since: 'Cursor', names: '[String!]' },
    };
    await compare(scenario, (pairs) =>
      performAll(pairs, actions, (pair, done) => {
        const { since, names } = spec.subscriberSpecs[pair]!.variables;
        const isDelivered = (action: Action) =>
          !names || (action.kind === 'PUBLISH' && action.event === 'said');
        return (since === true ? 1 : 0) + done.filter(isDelivered).length;
      }),
    );
  });
});

test('presence: yields the same results over WebSocket (shared) as over SSE (not shared)', async () => {
  /** Leaves are followed by joins, so that each action yields an event. */
  const actions = fc
    .array(fc.oneof(actionArbitraries.setPresence, fc.constant(null)), { maxLength: 4 })
    .map((states) =>
      states.flatMap((setPresence): Action[] =>
        setPresence ? [setPresence] : [{ kind: 'LEAVE' }, { kind: 'JOIN' }],
      ),
    );
  const specs = fc.record({
    selected: selectionsOf(schema, 'PresenceEvent', 3, isStable),
    subscriberSpecs: subscribers(),
    type: channelType,
    actions,
  });
  await checkFor(1000, specs, async ({ actions, ...spec }) => {
    const scenario = { ...spec, root: 'presence(channel: $channel)', declared: { channel: 'ID!' } };
    await compare(scenario, (pairs) => performAll(pairs, actions, (_, done) => done.length));
  });
});
