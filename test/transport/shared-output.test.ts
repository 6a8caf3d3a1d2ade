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

// By WebSocket, subscribers who look the same way share one execution; by SSE each has its own. Whoever subscribes
// to the same by both is shown the same.

let stage: Fixture;
beforeAll(async () => (stage = await Fixture.open()));
afterAll(() => stage[Symbol.asyncDispose]());

const schema = createSchema();

/**
 * As many scenes as there is time for. Those that come later pass unplayed, as do later tries to tell a failure more
 * simply; the first is always played.
 */
async function playFor<Given>(ms: number, scene: fc.Arbitrary<Given>, play: (given: Given) => Promise<void>) {
  const end = performance.now() + ms;
  const property = fc.asyncProperty(scene, async (given) => {
    if (performance.now() < end) await play(given);
  });
  await fc.assert(property, { numRuns: 100 });
}

/** Where two subscriptions of one caller differ though nothing is shared: who came while they began, one after the other. */
const isSteady: Allows = (within, type, field) =>
  !(within === 'Connected' && type === 'Token' && field === 'connections') &&
  !(['Connected', 'ChannelAvailable', 'ChannelUnavailable'].includes(within) && field === 'presence');

interface Cast {
  name: CallerName;
  /** A line before the operation: it means the same, at other places. */
  preface: boolean;
  variables: Record<string, unknown>;
}

const someone = (variables: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Cast> =>
  fc.record({
    name: fc.constantFrom(...CALLER_NAMES),
    preface: fc.boolean(),
    variables: fc.record(
      { v: fc.boolean(), w: fc.boolean(), n: fc.constantFrom(null, 1, 2), ...variables },
      { requiredKeys: [] },
    ),
  });

const several = (variables: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.uniqueArray(someone(variables), { selector: ({ name }) => name, minLength: 3, maxLength: 6 });

const channelType = fc.constantFrom('UNPROTECTED', 'PUBLIC', 'PRIVATE');
const json = fc.jsonValue({ maxDepth: 2 });
const token = fc.constantFrom(...TOKEN_NAMES);
/** Tokens whose role hears every channel that they are let into. */
const holder = fc.constantFrom(...TOKEN_NAMES.filter((name) => name !== 'guest'));

const happens = {
  publish: fc.record({
    kind: fc.constant('PUBLISH' as const),
    by: fc.constantFrom('publisher' as const, 'backend' as const),
    event: fc.constantFrom('said' as const, 'other' as const),
    ephemeral: fc.boolean(),
    data: json,
  }),
  whisper: fc.record({ kind: fc.constant('SEND_DIRECT' as const), to: token }),
  state: fc.record({ kind: fc.constant('STATE' as const), state: fc.record({ any: json }) }),
  membership: fc.record({ kind: fc.constant('MEMBERSHIP' as const), who: token, begins: fc.boolean() }),
  show: fc.record({ kind: fc.constant('SET_PRESENCE' as const), state: json }),
  go: fc.constant({ kind: 'LEAVE' as const }),
  come: fc.constant({ kind: 'JOIN' as const }),
} satisfies Record<string, fc.Arbitrary<Action>>;

/** A change of what a token may do; these never end what it hears, unless roles are among them that do. */
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

interface Scene {
  root: string;
  /** Selected always, so that the test knows what it is looking at. */
  always?: string;
  declared: Record<string, string>;
  look: { selection: string; fragments: string };
  type: string;
  casts: Cast[];
}

/** Subscribes all of them at both doors, lets `play` happen, and compares what each was shown at the two. */
async function compare(
  scene: Scene,
  play: (pairs: TransportPair[]) => Promise<void>,
  tidy: (results: readonly Result[]) => readonly Result[] = (results) => results,
): Promise<void> {
  await stage.reset(scene.type);
  const pairs: TransportPair[] = [];
  try {
    for (const { name, preface, variables } of scene.casts) {
      const query = `${preface ? '# the same\n' : ''}${operationOf(scene)}`;
      const since = variables['since'] === true ? stage.since : undefined;
      pairs.push(
        await stage.subscribe(name, { query, variables: { ...variables, channel: stage.channel, since } }),
      );
    }
    await play(pairs);
    for (const { name, ws, sse } of pairs) {
      const [shared, own] = [tidy(ws.results), tidy(sse.results)];
      expect({ name, shown: shared.map(dataOf) }).toEqual({ name, shown: own.map(dataOf) });
      expect({ name, errors: shared.map((one, nth) => errorsBeside(one, own[nth])) }).toEqual({
        name,
        errors: own.map((one) => one.errors),
      });
    }
  } finally {
    for (const pair of pairs) await pair.stop();
  }
}

const dataOf = ({ data, errors }: Result) => ({ data, hasErrors: errors !== undefined });

/** Of several errors that make the same thing null, GraphQL reports whichever comes first: then either will do. */
function errorsBeside({ errors }: Result, own: Result | undefined): Result['errors'] {
  const places = (some: Result['errors']) => JSON.stringify(some?.map((error) => error.path));
  return places(errors) === places(own?.errors) ? errors : own?.errors;
}

function operationOf({ root, always = '', declared, look: { selection, fragments } }: Scene): string {
  const body = `{ ${root} { ${always} ${selection || '__typename'} } } ${fragments}`;
  const used = Object.entries({ ...SELECTION_VARIABLES, ...declared }).filter(([name]) =>
    new RegExp(`\\$${name}\\b`).test(body),
  );
  const declarations = used.map(([name, type]) => `$${name}: ${type}`).join(', ');
  return `subscription ${declarations && `(${declarations})`} ${body}`;
}

/** One after the other; the next when everyone who is let in has been shown as much as is `due` by then. */
async function act(
  pairs: TransportPair[],
  actions: Action[],
  due: (pair: number, done: Action[]) => number,
): Promise<void> {
  for (let done = 0; done <= actions.length; done++) {
    const action = actions[done - 1];
    if (action) await stage.perform(action);
    const waits = pairs.flatMap(({ ws, sse }, index) =>
      [ws, sse].map((heard) => heard.until(({ length }) => length >= due(index, actions.slice(0, done)))),
    );
    await Promise.all(waits);
  }
  pairs.forEach(({ ws: { results } }, index) => {
    if (!isRefused(results)) expect(results).toHaveLength(due(index, actions));
  });
}

const isRefused = ([first]: readonly Result[]) => first !== undefined && !('data' in first);

test('events: everyone is shown what it would be shown alone', async () => {
  const { go: _, come: __, ...others } = happens;
  const action = fc.oneof(...Object.values(others), update(token, [...ROLES]));
  const scenes = fc.record({
    look: selectionsOf(schema, 'Event', 5, isSteady),
    casts: several({ since: fc.boolean(), presence: fc.boolean() }),
    type: channelType,
    actions: fc.array(action, { minLength: 1, maxLength: 5 }),
  });
  const call = (pairs: TransportPair[], word: string) =>
    stage.sendSentinel(pairs, word, ({ results }) => results.some((result) => wordOf(result) === word));

  await playFor(3000, scenes, async ({ actions, ...given }) => {
    const scene = {
      ...given,
      root: 'events(since: $since, presence: $presence)',
      always: `kind: __typename
        ... on Connected { mine: connection { id } }
        ... on DirectMessage { word: message { event } }`,
      declared: { since: 'Cursor', presence: 'Boolean' },
    };
    const play = async (pairs: TransportPair[]) => {
      await call(pairs, 'call-0');
      for (const [index, action] of actions.entries()) {
        await stage.perform(action);
        await call(pairs, `call-${index + 1}`);
      }
    };
    await compare(scene, play, withoutCalls);
  });
});

const wordOf = ({ data }: Result): string | undefined => data?.events?.word?.event;

/** Without the calls, who came while the two subscribed, and what names one connection. */
function withoutCalls(results: readonly Result[]): Result[] {
  const first = results.findIndex((result) => wordOf(result) === 'call-0');
  return results
    .filter((result) => !wordOf(result)?.startsWith('call-'))
    .filter(({ data }, index) => index > first || data?.events?.kind !== 'PresenceChanged')
    .map((result) => {
      if (result.data?.events?.kind !== 'Connected') return result;
      return JSON.parse(JSON.stringify(result).replaceAll(/conn_\w{26}|WEBSOCKET|SSE/g, '…'));
    });
}

test('channelState: everyone is shown what it would be shown alone', async () => {
  const { state, publish, show, go, come } = happens;
  const action = fc.oneof(state, state, publish, show, go, come, update(holder, ['SUBSCRIBER', 'MODERATOR']));
  const scenes = fc.record({
    look: selectionsOf(schema, 'Channel', 4, isSteady),
    casts: several(),
    type: channelType,
    actions: fc.array(action, { maxLength: 5 }),
  });
  await playFor(1500, scenes, async ({ actions, ...given }) => {
    const scene = { ...given, root: 'channelState(channel: $channel)', declared: { channel: 'ID!' } };
    await compare(scene, (pairs) =>
      act(pairs, actions, (_, done) => 1 + done.filter(({ kind }) => kind === 'STATE').length),
    );
  });
});

test('messages: everyone is shown what it would be shown alone', async () => {
  const scenes = fc.record({
    look: selectionsOf(schema, 'Message', 3, isSteady),
    casts: several({ since: fc.boolean(), names: fc.constantFrom(null, ['said']) }),
    type: channelType,
    actions: fc.array(happens.publish, { maxLength: 5 }),
  });
  await playFor(1000, scenes, async ({ actions, ...given }) => {
    const scene = {
      ...given,
      root: 'messages(channel: $channel, since: $since, events: $names)',
      declared: { channel: 'ID!', since: 'Cursor', names: '[String!]' },
    };
    await compare(scene, (pairs) =>
      act(pairs, actions, (pair, done) => {
        const { since, names } = given.casts[pair]!.variables;
        const isHeard = (action: Action) => !names || (action.kind === 'PUBLISH' && action.event === 'said');
        return (since === true ? 1 : 0) + done.filter(isHeard).length;
      }),
    );
  });
});

test('presence: everyone is shown what it would be shown alone', async () => {
  /** Shown, gone and back again, so that each is something to see. */
  const actions = fc
    .array(fc.oneof(happens.show, fc.constant(null)), { maxLength: 4 })
    .map((some) => some.flatMap((one): Action[] => (one ? [one] : [{ kind: 'LEAVE' }, { kind: 'JOIN' }])));
  const scenes = fc.record({
    look: selectionsOf(schema, 'PresenceEvent', 3, isSteady),
    casts: several(),
    type: channelType,
    actions,
  });
  await playFor(1000, scenes, async ({ actions: happening, ...given }) => {
    const scene = { ...given, root: 'presence(channel: $channel)', declared: { channel: 'ID!' } };
    await compare(scene, (pairs) => act(pairs, happening, (_, done) => done.length));
  });
});
