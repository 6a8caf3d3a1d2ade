import { isObjectType } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSchema } from '../../src/schema/schema.ts';
import { mint } from '../support/backend.ts';
import { type KnownName } from './callers.ts';
import { openStage, type Stage } from './fixture.ts';

let stage: Stage;
const halves: Record<string, string> = {};
beforeAll(async () => {
  stage = await openStage();
  for (const action of ['SUBSCRIBE', 'MODERATE']) {
    const grants = [{ channels: 'room', actions: [action] }];
    halves[`only ${action}`] = (await mint(stage.signalbox, { role: 'MODERATOR', grants })).credential;
  }
});
afterAll(() => stage[Symbol.asyncDispose]());

/** Whoever has what the field belongs to, but not the field; and the code, or what it finds instead. */
type Way = [
  who: KnownName | 'only SUBSCRIBE' | 'only MODERATE',
  document: string,
  found: string | ((data: any) => unknown),
];

const ROOM_STATE = (selection: string) =>
  `mutation { setChannelState(channel: "room", state: {}) { ${selection} } }`;
const CHANNEL = (id: string, selection: string) => `{ channel(id: "${id}") { ${selection} } }`;
const GUEST = (selection: string) => `mutation { createGuest { token { ${selection} } } }`;
const OTHERS = (selection: string) => `{ projects { nodes { id ${selection} } } }`;
const VIEWER = (selection: string) => `{ viewer { ${selection} } }`;
const LEAVE = (selection: string) =>
  `mutation ($own: ID!) { unsubscribeToken(channel: "den", token: $own) { ${selection} } }`;
const MESSAGES = 'messages { nodes { id } }';
const MEMBERS = 'presence { members { nodes { id } } }';
const TOKENS = 'tokens { nodes { id } }';

/** The fields of objects that not everybody sees who sees the object. */
const FIELDS: Record<string, Way[]> = {
  'Channel.messages': [
    ['only MODERATE', ROOM_STATE(MESSAGES), 'FORBIDDEN'],
    ['only SUBSCRIBE', CHANNEL('room', MESSAGES), ({ channel }) => channel.messages.nodes.length === 0],
    ['nobody in particular', CHANNEL('square', MESSAGES), ({ channel }) => channel.messages],
  ],
  'Channel.presence': [
    ['only MODERATE', ROOM_STATE('presence { count }'), 'FORBIDDEN'],
    ['a subscriber', CHANNEL('room', 'presence { count }'), ({ channel }) => channel.presence.count === 0],
  ],
  'ChannelPresence.count': [
    ['only SUBSCRIBE', CHANNEL('room', 'presence { count }'), 'FORBIDDEN'],
    ['nobody in particular', CHANNEL('square', 'presence { count }'), 'UNAUTHENTICATED'],
  ],
  'ChannelPresence.members': [
    ['only SUBSCRIBE', CHANNEL('room', MEMBERS), 'FORBIDDEN'],
    ['nobody in particular', CHANNEL('square', MEMBERS), 'UNAUTHENTICATED'],
    ['a guest', CHANNEL('room', MEMBERS), ({ channel }) => channel.presence.members],
  ],
  'Channel.tokens': [
    ['a moderator', CHANNEL('room', TOKENS), 'FORBIDDEN'],
    ['nobody in particular', CHANNEL('square', TOKENS), 'UNAUTHENTICATED'],
    ['an API key', CHANNEL('room', TOKENS), ({ channel }) => channel.tokens.nodes.length > 0],
  ],
  // Whoever has an issuer has an API key of its project.
  'Issuer.keys': [
    ['an API key', '{ project { issuers { keys { id } } } }', ({ project }) => project.issuers[0].keys[0].id],
    ['an API key of another project', '{ project { issuers { keys { id } } } }', isEmpty],
  ],
  'Project.issuers': [
    ['the operator’s key', OTHERS('issuers { id }'), 'FORBIDDEN'],
    ['an API key of another project', '{ project { issuers { id } } }', isEmpty],
  ],
  'Project.apiKeys': [
    ['the operator’s key', OTHERS('apiKeys { nodes { id } }'), ({ projects }) => projects.nodes.length === 3],
    ['an API key', OTHERS('apiKeys { nodes { id } }'), 'FORBIDDEN'],
  ],
  'Token.isOnline': [
    ['nobody in particular', GUEST('isOnline'), 'UNAUTHENTICATED'],
    ['a moderator', GUEST('isOnline'), 'FORBIDDEN'],
    ['a moderator', VIEWER('token { isOnline }'), ({ viewer }) => viewer.token.isOnline === false],
  ],
  'Token.connections': [
    ['nobody in particular', GUEST('connections { id }'), 'UNAUTHENTICATED'],
    ['a moderator', GUEST('connections { id }'), 'FORBIDDEN'],
    ['a guest', VIEWER('token { connections { id } }'), ({ viewer }) => viewer.token.connections],
  ],
  // Of others nobody has more than the id, but API keys.
  'Token.state': [['a guest', VIEWER('token { state }'), ({ viewer }) => viewer.token.state === null]],
  'Membership.channel': [
    ['a moderator', LEAVE('channel { id }'), ({ unsubscribeToken }) => unsubscribeToken.channel === null],
  ],
  'Membership.token': [
    ['a subscriber', LEAVE('token { id }'), ({ unsubscribeToken }) => unsubscribeToken.token.id],
  ],
  'Viewer.token': [['an API key', VIEWER('token { id }'), ({ viewer }) => viewer.token === null]],
  'Viewer.apiKey': [['a moderator', VIEWER('apiKey { id }'), ({ viewer }) => viewer.apiKey === null]],
  'Viewer.allowedActions': [
    [
      'a Stream user who is a member of nothing',
      VIEWER('allowedActions(channel: "den")'),
      ({ viewer }) => viewer.allowedActions.length === 0,
    ],
  ],
  'Viewer.channels': [
    [
      'a moderator who is banned',
      VIEWER('channels { nodes { id } }'),
      ({ viewer }) => viewer.channels.nodes.length === 0,
    ],
  ],
  'Viewer.directMessages': [
    ['nobody in particular', VIEWER('directMessages { nodes { id } }'), 'UNAUTHENTICATED'],
    ['an API key', VIEWER('directMessages { nodes { id } }'), 'UNAUTHENTICATED'],
    ['a guest', VIEWER('directMessages { nodes { id } }'), ({ viewer }) => viewer.directMessages],
  ],
};

function isEmpty({ project }: any): boolean {
  return project.issuers.length === 0;
}

const ways = Object.entries(FIELDS).flatMap(([field, some]) =>
  some.map(([who, ...rest]) => [field, who, ...rest] as const),
);

test.each(ways)('%s, as %s meets it', async (_, who, query, found) => {
  const presented = stage.presented[who as KnownName] as { bearer: string; token?: string } | undefined;
  const variables = query.includes('$own') ? { own: presented?.token } : {};
  const bearer = presented ? presented.bearer : halves[who]!;
  const { data, errors } = await stage.signalbox.ask(query, variables, bearer);
  if (typeof found === 'string') {
    expect(errors?.map(({ extensions }) => extensions['code'])).toContain(found);
    expect(new Set(errors?.map(({ extensions }) => extensions['code'])).size).toBe(1);
    expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([]);
  } else {
    expect(errors).toBeUndefined();
    expect(found(data)).toBeTruthy();
  }
});

test('an issuer that is taken away is told with what it has left: no keys', async () => {
  const { request } = stage.signalbox;
  const { project } = await request('{ project { issuers { id keys { id } } } }');
  const [{ id, keys }] = project.issuers;
  expect(keys).toHaveLength(1);
  const { removeIssuer } = await request(
    'mutation ($id: ID!) { removeIssuer(issuer: $id) { id keys { id } } }',
    { id },
  );
  expect(removeIssuer).toEqual({ id, keys: [] });
});

test('every field that looks at who asks is in the table', () => {
  const looks = Object.values(createSchema().getTypeMap())
    .filter((type) => isObjectType(type))
    .filter(({ name }) => !name.startsWith('__') && !['Query', 'Mutation', 'Subscription'].includes(name))
    .flatMap((type) =>
      Object.values(type.getFields())
        .filter(
          ({ description, resolve }) =>
            /\b(caller|viewer)\b/.test(String(resolve)) ||
            /For API keys|For whoever|Throws|others do not/.test(description ?? ''),
        )
        .map(({ name }) => `${type.name}.${name}`),
    );
  expect(Object.keys(FIELDS).sort()).toEqual(looks.sort());
});
