import { isObjectType } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSchema } from '../../src/schema/schema.ts';
import { mint } from '../support/backend.ts';
import { type AcceptedName } from './callers.ts';
import { createFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
const credentialsByAction: Record<string, string> = {};
beforeAll(async () => {
  fixture = await createFixture();
  for (const action of ['SUBSCRIBE', 'MODERATE']) {
    const grants = [{ channels: 'room', actions: [action] }];
    credentialsByAction[`only ${action}`] = (
      await mint(fixture.signalbox, { role: 'MODERATOR', grants })
    ).credential;
  }
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** A caller that can read the object of the field, a document that selects the field, and the error code or a check of the data. */
type FieldAccess = [
  caller: AcceptedName | 'only SUBSCRIBE' | 'only MODERATE',
  document: string,
  found: string | ((data: any) => unknown),
];

const ROOM_STATE = (selection: string) =>
  `mutation { setChannelState(channel: "room", state: {}) { ${selection} } }`;
const CHANNEL = (id: string, selection: string) => `{ channel(id: "${id}") { ${selection} } }`;
const GUEST = (selection: string) => `mutation { createGuest { token { ${selection} } } }`;
const PROJECTS = (selection: string) => `{ projects { nodes { id ${selection} } } }`;
const VIEWER = (selection: string) => `{ viewer { ${selection} } }`;
const LEAVE = (selection: string) =>
  `mutation ($own: ID!) { unsubscribeToken(channel: "den", token: $own) { ${selection} } }`;
const MESSAGES = 'messages { nodes { id } }';
const MEMBERS = 'presence { members { nodes { id } } }';
const TOKENS = 'tokens { nodes { id } }';

/** The fields with permissions of their own, beyond those of their object. */
const FIELDS: Record<string, FieldAccess[]> = {
  'Channel.messages': [
    ['only MODERATE', ROOM_STATE(MESSAGES), 'FORBIDDEN'],
    ['only SUBSCRIBE', CHANNEL('room', MESSAGES), ({ channel }) => channel.messages.nodes.length === 0],
    ['an anonymous caller', CHANNEL('square', MESSAGES), ({ channel }) => channel.messages],
  ],
  'Channel.presence': [
    ['only MODERATE', ROOM_STATE('presence { count }'), 'FORBIDDEN'],
    ['a subscriber', CHANNEL('room', 'presence { count }'), ({ channel }) => channel.presence.count === 0],
  ],
  'ChannelPresence.count': [
    ['only SUBSCRIBE', CHANNEL('room', 'presence { count }'), 'FORBIDDEN'],
    ['an anonymous caller', CHANNEL('square', 'presence { count }'), 'UNAUTHENTICATED'],
  ],
  'ChannelPresence.members': [
    ['only SUBSCRIBE', CHANNEL('room', MEMBERS), 'FORBIDDEN'],
    ['an anonymous caller', CHANNEL('square', MEMBERS), 'UNAUTHENTICATED'],
    ['a guest', CHANNEL('room', MEMBERS), ({ channel }) => channel.presence.members],
  ],
  'Channel.tokens': [
    ['a moderator', CHANNEL('room', TOKENS), 'FORBIDDEN'],
    ['an anonymous caller', CHANNEL('square', TOKENS), 'UNAUTHENTICATED'],
    ['an API key', CHANNEL('room', TOKENS), ({ channel }) => channel.tokens.nodes.length > 0],
  ],
  // Only API keys of the project can read an issuer.
  'Issuer.keys': [
    ['an API key', '{ project { issuers { keys { id } } } }', ({ project }) => project.issuers[0].keys[0].id],
    ['an API key of another project', '{ project { issuers { keys { id } } } }', isEmpty],
  ],
  'Project.issuers': [
    ['the operator’s key', PROJECTS('issuers { id }'), 'FORBIDDEN'],
    ['an API key of another project', '{ project { issuers { id } } }', isEmpty],
  ],
  'Project.apiKeys': [
    [
      'the operator’s key',
      PROJECTS('apiKeys { nodes { id } }'),
      ({ projects }) => projects.nodes.length === 3,
    ],
    ['an API key', PROJECTS('apiKeys { nodes { id } }'), 'FORBIDDEN'],
  ],
  'Token.isOnline': [
    ['an anonymous caller', GUEST('isOnline'), 'UNAUTHENTICATED'],
    ['a moderator', GUEST('isOnline'), 'FORBIDDEN'],
    ['a moderator', VIEWER('token { isOnline }'), ({ viewer }) => viewer.token.isOnline === false],
  ],
  'Token.connections': [
    ['an anonymous caller', GUEST('connections { id }'), 'UNAUTHENTICATED'],
    ['a moderator', GUEST('connections { id }'), 'FORBIDDEN'],
    ['a guest', VIEWER('token { connections { id } }'), ({ viewer }) => viewer.token.connections],
  ],
  'Token.channels': [
    ['an anonymous caller', GUEST('channels { nodes { id } }'), 'UNAUTHENTICATED'],
    ['a moderator', VIEWER('token { channels { nodes { id } } }'), 'FORBIDDEN'],
    [
      'an API key',
      CHANNEL('room', 'tokens { nodes { channels { nodes { id } } } }'),
      ({ channel }) => channel.tokens.nodes[0].channels.nodes.some(({ id }: { id: string }) => id === 'room'),
    ],
  ],
  // Except for API keys, a caller sees only the id of other tokens. For limited keys: `test/projects/api-key-scopes.test.ts`.
  'Token.grants': [
    ['a guest', VIEWER('token { grants { channels } }'), ({ viewer }) => viewer.token.grants === null],
  ],
  'Token.claimedGrants': [
    [
      'a guest',
      VIEWER('token { claimedGrants { channels } }'),
      ({ viewer }) => viewer.token.claimedGrants === null,
    ],
  ],
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
      'a Stream user without memberships',
      VIEWER('allowedActions(channel: "den")'),
      ({ viewer }) => viewer.allowedActions.length === 0,
    ],
  ],
  'Viewer.channels': [
    [
      'a banned moderator',
      VIEWER('channels { nodes { id } }'),
      ({ viewer }) => viewer.channels.nodes.length === 0,
    ],
  ],
  'Viewer.directMessages': [
    ['an anonymous caller', VIEWER('directMessages { nodes { id } }'), 'UNAUTHENTICATED'],
    ['an API key', VIEWER('directMessages { nodes { id } }'), 'UNAUTHENTICATED'],
    ['a guest', VIEWER('directMessages { nodes { id } }'), ({ viewer }) => viewer.directMessages],
  ],
};

function isEmpty({ project }: any): boolean {
  return project.issuers.length === 0;
}

const accesses = Object.entries(FIELDS).flatMap(([field, some]) =>
  some.map(([caller, ...rest]) => [field, caller, ...rest] as const),
);

test.each(accesses)('%s is permitted or refused as expected to %s', async (_, caller, query, found) => {
  const credentials = fixture.credentials[caller as AcceptedName] as
    { bearer: string; token?: string } | undefined;
  const variables = query.includes('$own') ? { own: credentials?.token } : {};
  const bearer = credentials ? credentials.bearer : credentialsByAction[caller]!;
  const { data, errors } = await fixture.signalbox.ask(query, variables, bearer);
  if (typeof found === 'string') {
    expect(errors?.map(({ extensions }) => extensions['code'])).toContain(found);
    expect(new Set(errors?.map(({ extensions }) => extensions['code'])).size).toBe(1);
    // A payload with a one-time secret stays, with null in the place of the object.
    const values = Object.values<any>(data ?? {}).flatMap((value) => value?.token ?? value ?? []);
    expect(values.filter((value) => Object.values(value).some((field) => field !== null))).toEqual([]);
  } else {
    expect(errors).toBeUndefined();
    expect(found(data)).toBeTruthy();
  }
});

test('removeIssuer returns the issuer without keys', async () => {
  const { request } = fixture.signalbox;
  const { project } = await request('{ project { issuers { id keys { id } } } }');
  const [{ id, keys }] = project.issuers;
  expect(keys).toHaveLength(1);
  const { removeIssuer } = await request(
    'mutation ($id: ID!) { removeIssuer(issuer: $id) { id keys { id } } }',
    { id },
  );
  expect(removeIssuer).toEqual({ id, keys: [] });
});

test('the table contains exactly the fields that depend on the caller', () => {
  const dependent = Object.values(createSchema().getTypeMap())
    .filter((type) => isObjectType(type))
    .filter(({ name }) => !name.startsWith('__') && !['Query', 'Mutation', 'Subscription'].includes(name))
    .flatMap((type) =>
      Object.values(type.getFields())
        .filter(
          ({ description, resolve }) =>
            /\b(caller|viewer)\b/.test(String(resolve)) ||
            /For API keys|For callers that|Throws (?!UNAVAILABLE)|Only API keys/.test(description ?? ''),
        )
        .map(({ name }) => `${type.name}.${name}`),
    );
  expect(Object.keys(FIELDS).sort()).toEqual(dependent.sort());
});
