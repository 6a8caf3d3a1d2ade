import { getNamedType, isLeafType } from 'graphql';
import { createSchema } from '../../src/schema/schema.ts';
import { type Rule, type RuleOfCall } from './rules.ts';

/**
 * What a call needs that is of the stage. `own`: the calling token; `self`: the publisher’s, of which `credential` is one.
 * The rest are somebody else’s, or nobody’s, so that a call which should have been refused leaves a trace.
 */
export type Prop =
  | '<place>'
  | '<own>'
  | '<self>'
  | '<credential>'
  | '<token>'
  | '<identity>'
  | '<connection>'
  | '<channel>'
  | '<apiKey>'
  | '<operatorKey>'
  | '<issuer>'
  | '<issuerKey>'
  | '<name>';

/** A root field, and how to call it so that nothing but the caller can be wrong. */
export interface Call extends RuleOfCall {
  type: 'query' | 'mutation' | 'subscription';
  field: string;
  /** Tells calls of one field apart. */
  title: string;
  args: Readonly<Record<string, unknown>>;
}

const calls: Call[] = [];

function add(
  type: Call['type'],
  [field, how]: readonly [field: string, how?: string],
  who: Rule,
  args: Call['args'] = {},
  more: Omit<RuleOfCall, 'who'> = {},
): void {
  calls.push({ type, field, title: how === undefined ? field : `${field} ${how}`, who, args, ...more });
}

/** What is asked about all that there is: another project’s key is answered about its own. */
const OWN = { elsewhere: null };
const KEY = { id: '<name>', secret: 'a secret that has 32 bytes or more' };
const TOKEN = { token: '<token>' };
const HERE = { channel: '<place>' };

add('query', ['viewer'], 'ANYONE');
add('query', ['isOnline'], 'KEY_OR_SELF', { token: '<self>' }, OWN);
add('query', ['token'], 'KEY_OR_SELF', { id: '<self>' });
add('query', ['tokens'], 'KEY', {}, OWN);
add('query', ['tokens', 'that are online'], 'KEY', { online: true }, OWN);
add('query', ['channel'], 'SUBSCRIBE', { id: '<place>' });
add('query', ['channels'], 'KEY', {}, OWN);
add('query', ['project'], 'KEY', {}, OWN);
add('query', ['projects'], 'OPERATOR', {}, { elsewhere: 'FORBIDDEN' });
add('query', ['revocations'], 'KEY', {}, OWN);
add('query', ['restrictions'], 'KEY', {}, OWN);
add('query', ['restrictions', 'of a channel'], 'MODERATE', HERE);
add('query', ['restrictions', 'of a token in a channel'], 'MODERATE', { ...HERE, ...TOKEN });
add('query', ['explainPermission'], 'KEY_OR_SELF', { token: '<self>', ...HERE, action: 'PUBLISH' });
add('query', ['explainPermission', 'to nobody in particular'], 'KEY', { ...HERE, action: 'PUBLISH' }, OWN);

add('mutation', ['createToken'], 'KEY', {}, OWN);
add('mutation', ['createCredential'], 'KEY', TOKEN);
add('mutation', ['updateToken'], 'KEY', { id: '<token>', input: { role: 'MODERATOR' } });
add('mutation', ['revokeToken'], 'KEY', { id: '<token>' });
add('mutation', ['revokeTokens'], 'KEY', { identity: '<identity>' }, OWN);
add('mutation', ['revokeTokens', 'of an issuer'], 'KEY', { issuer: '<issuer>' });
add('mutation', ['restoreTokens'], 'KEY', { identity: '<identity>' }, OWN);
add('mutation', ['createGuest'], 'ANYONE');
add('mutation', ['createDevelopmentToken'], 'ANYONE', { identity: 'ada' });
add(
  'mutation',
  ['reauthenticate'],
  'SELF',
  { credential: '<credential>' },
  {
    isLive: true,
    elsewhere: 'UNAUTHENTICATED',
  },
);

add('mutation', ['createProject'], 'OPERATOR', {}, { elsewhere: 'FORBIDDEN' });
add('mutation', ['updateProject'], 'KEY', { settings: { guestSeconds: 600 } }, OWN);
add('mutation', ['createApiKey'], 'KEY', {}, OWN);
add(
  'mutation',
  ['createApiKey', 'of another project'],
  'OPERATOR',
  { project: 'third' },
  {
    elsewhere: 'FORBIDDEN',
  },
);
add('mutation', ['revokeApiKey'], 'KEY', { id: '<apiKey>' });
add('mutation', ['revokeApiKey', 'of the operator'], 'OPERATOR', { id: '<operatorKey>' });
add('mutation', ['rotateApiKey'], 'KEY', { id: '<apiKey>' });
add('mutation', ['rotateApiKey', 'of the operator'], 'OPERATOR', { id: '<operatorKey>' });
add('mutation', ['rotateSigningKey'], 'OPERATOR', { overlapSeconds: 600 }, { elsewhere: 'FORBIDDEN' });

add('mutation', ['createIssuer'], 'KEY', { input: { kind: 'SIGNALBOX', key: KEY } }, OWN);
add('mutation', ['removeIssuer'], 'KEY', { issuer: '<issuer>' });
add('mutation', ['addIssuerKey'], 'KEY', { issuer: '<issuer>', key: KEY });
add('mutation', ['removeIssuerKey'], 'KEY', { issuer: '<issuer>', key: '<issuerKey>' });

add('mutation', ['createChannel'], 'KEY', { input: {} }, OWN);
add('mutation', ['updateChannel'], 'KEY', { id: '<channel>', input: { type: 'UNPROTECTED' } });
add('mutation', ['deleteChannel'], 'KEY', { id: '<channel>' });
add('mutation', ['setChannelState'], 'MODERATE', { ...HERE, state: { topic: 'another' } });
add('mutation', ['patchChannelState'], 'MODERATE', { ...HERE, patch: { topic: 'another' } });

add('mutation', ['subscribeToken'], 'KEY', { channel: '<channel>', ...TOKEN });
add('mutation', ['subscribeToken', 'itself'], 'ENTER', { ...HERE, token: '<own>' });
add('mutation', ['unsubscribeToken'], 'KEY', { ...HERE, ...TOKEN });
add('mutation', ['unsubscribeToken', 'itself'], 'KEY_OR_TOKEN', { channel: '<channel>', token: '<own>' });
add('mutation', ['subscribeTokens'], 'KEY', { channels: ['<channel>'], tokens: ['<token>'] }, OWN);
add('mutation', ['unsubscribeTokens'], 'KEY', { channels: ['<place>'], tokens: ['<token>'] }, OWN);

add('mutation', ['publishMessage'], 'PUBLISH', { ...HERE, event: 'said' });
add('mutation', ['publishMessage', 'without a trace'], 'PUBLISH', {
  ...HERE,
  event: 'said',
  ephemeral: true,
});
add('mutation', ['publishDirectMessage', 'to a token'], 'KEY', { ...TOKEN, event: 'said' });
add('mutation', ['publishDirectMessage', 'to an identity'], 'KEY', { identity: '<identity>', event: 'said' });
add('mutation', ['publishDirectMessage', 'to a connection'], 'PUBLISH', {
  connection: '<connection>',
  ...HERE,
  event: 'said',
});
add('mutation', ['setPresence'], 'ANYONE', { state: { mood: 'good' } }, { isLive: true });

for (const field of ['mute', 'unmute', 'ban', 'unban']) {
  add('mutation', [field], 'MODERATE', { ...TOKEN, ...HERE });
  add('mutation', [field, 'an identity'], 'MODERATE', { identity: '<identity>', ...HERE });
}
for (const field of ['mute', 'unmute', 'disconnect']) add('mutation', [field, 'everywhere'], 'KEY', TOKEN);
add('mutation', ['disconnect'], 'MODERATE', { ...TOKEN, ...HERE });
add('mutation', ['disconnect', 'a connection'], 'MODERATE', { connection: '<connection>', ...HERE });
add('mutation', ['disconnect', 'a connection anywhere'], 'KEY', { connection: '<connection>' });

add('subscription', ['events'], 'ANYONE');
add('subscription', ['messages'], 'SUBSCRIBE', HERE);
add('subscription', ['channelState'], 'SUBSCRIBE', HERE);
add('subscription', ['presence'], 'PRESENCE', HERE);
add('subscription', ['directMessages'], 'TOKEN');

/** Every root field, in every way in which it can be called by right. */
export const CALLS: readonly Call[] = calls;

/** Whether the call is about a channel that its caller may or may not enter. */
export const hasPlace = ({ args }: Call) => JSON.stringify(args).includes('<place>');

const schema = createSchema();
const ROOTS = {
  query: schema.getQueryType()!,
  mutation: schema.getMutationType()!,
  subscription: schema.getSubscriptionType()!,
};

/** The names of all root fields there are, as `query viewer`. */
export const rootFields = () =>
  Object.entries(ROOTS).flatMap(([type, root]) =>
    Object.keys(root.getFields()).map((name) => `${type} ${name}`),
  );

/** The call as a document: what it is given by variables, as little as possible selected. */
export function documentOf({ type, field, args }: Call): string {
  const root = ROOTS[type].getFields()[field];
  if (!root) throw new TypeError(`There is no ${type} ${field}.`);
  const given = root.args.filter(({ name }) => name in args);
  if (given.length < Object.keys(args).length)
    throw new TypeError(`${field} has no such argument as one of ${Object.keys(args).join(', ')}.`);
  const declared = given.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const passed = given.map(({ name }) => `${name}: $${name}`).join(', ');
  const isLeaf = isLeafType(getNamedType(root.type));
  return `${type} ${declared && `(${declared})`} { ${field}${passed && `(${passed})`} ${isLeaf ? '' : '{ __typename }'} }`;
}
