import { getNamedType, isLeafType } from 'graphql';
import { createSchema } from '../../src/schema/schema.ts';
import { SCOPES } from './callers.ts';
import { type Rule, type CallRule } from './rules.ts';

/**
 * A value that the fixture inserts into the arguments of a call. `own`: the calling token. `self`: the token of the publisher;
 * `credential`: its credential. The other values belong to neither, so that a call that should have been refused leaves a
 * trace in the snapshot.
 */
export type Placeholder =
  | '<targetChannel>'
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

/** A root field, with arguments that are valid, so that only the permissions of the caller can make the call fail. */
export interface Call extends CallRule {
  type: 'query' | 'mutation' | 'subscription';
  field: string;
  /** Unique title, also among the calls of one field. */
  title: string;
  args: Readonly<Record<string, unknown>>;
}

const calls: Call[] = [];

function add(
  type: Call['type'],
  [field, variant]: readonly [field: string, variant?: string],
  rule: Rule,
  args: Call['args'] = {},
  options: Omit<CallRule, 'rule'> = {},
): void {
  calls.push({
    type,
    field,
    title: variant === undefined ? field : `${field} ${variant}`,
    rule,
    args,
    about: JSON.stringify(args).includes('<targetChannel>') ? 'TARGET' : 'OTHER',
    ...options,
  });
}

/** For calls about a whole project: an API key of another project is answered about its own project. */
const OWN_PROJECT_ONLY = { foreign: null };
const KEY = { id: '<name>', secret: 'a secret that has 32 bytes or options' };
const TOKEN = { token: '<token>' };
const TARGET_CHANNEL = { channel: '<targetChannel>' };

add('query', ['viewer'], 'ANYONE');
add('query', ['isOnline'], 'KEY_OR_SELF', { token: '<self>' }, { scopes: ['READ'] });
add('query', ['token'], 'KEY_OR_SELF', { id: '<self>' }, { scopes: ['READ'] });
add('query', ['tokens'], 'KEY', {}, { ...OWN_PROJECT_ONLY, scopes: ['READ'] });
add(
  'query',
  ['tokens', 'that are online'],
  'KEY',
  { online: true },
  { ...OWN_PROJECT_ONLY, scopes: ['READ'] },
);
add('query', ['channel'], 'SUBSCRIBE', { id: '<targetChannel>' });
add('query', ['channels'], 'KEY', {}, { ...OWN_PROJECT_ONLY, scopes: ['READ'] });
add('query', ['connections'], 'KEY', {}, { ...OWN_PROJECT_ONLY, scopes: ['READ'] });
add('query', ['connections', 'of a channel'], 'KEY', TARGET_CHANNEL, {
  ...OWN_PROJECT_ONLY,
  scopes: ['READ'],
});
add('query', ['explainDelivery'], 'KEY', { message: 'msg_unknown', token: '<token>' }, { scopes: ['READ'] });
add('query', ['stats'], 'KEY', {}, { ...OWN_PROJECT_ONLY, scopes: ['READ'] });
add('query', ['stats', 'of another project'], 'OPERATOR', { project: 'third' }, { foreign: 'FORBIDDEN' });
add('query', ['project'], 'KEY', {}, { ...OWN_PROJECT_ONLY, scopes: ['READ'] });
add('query', ['projects'], 'OPERATOR', {}, { foreign: 'FORBIDDEN' });
add('query', ['revocations'], 'KEY', {}, { ...OWN_PROJECT_ONLY, scopes: ['READ'] });
add('query', ['restrictions'], 'KEY', {}, { ...OWN_PROJECT_ONLY, scopes: ['READ'] });
add('query', ['restrictions', 'of a channel'], 'MODERATE', TARGET_CHANNEL, { scopes: ['READ'] });
add(
  'query',
  ['restrictions', 'of a token in a channel'],
  'MODERATE',
  { ...TARGET_CHANNEL, ...TOKEN },
  { scopes: ['READ'] },
);
add(
  'query',
  ['explainPermission'],
  'KEY_OR_SELF',
  { token: '<self>', ...TARGET_CHANNEL, action: 'PUBLISH' },
  { scopes: ['READ'] },
);
add(
  'query',
  ['explainPermission', 'for an anonymous caller'],
  'KEY',
  { ...TARGET_CHANNEL, action: 'PUBLISH' },
  { ...OWN_PROJECT_ONLY, scopes: ['READ'] },
);

add(
  'mutation',
  ['createToken', 'in a channel'],
  'KEY',
  { input: { channels: ['<channel>'] } },
  { scopes: ['TOKENS', 'CHANNELS'], foreign: 'NOT_FOUND' },
);
add('mutation', ['createToken'], 'KEY', {}, { ...OWN_PROJECT_ONLY, scopes: ['TOKENS'] });
add('mutation', ['createCredential'], 'KEY', TOKEN, { scopes: ['TOKENS'] });
add(
  'mutation',
  ['updateToken'],
  'KEY',
  { id: '<token>', input: { role: 'MODERATOR' } },
  { scopes: ['TOKENS'] },
);
add('mutation', ['revokeToken'], 'KEY', { id: '<token>' }, { scopes: ['TOKENS'] });
add(
  'mutation',
  ['revokeTokens'],
  'KEY',
  { identity: '<identity>' },
  { ...OWN_PROJECT_ONLY, scopes: ['TOKENS'] },
);
add('mutation', ['revokeTokens', 'of an issuer'], 'KEY', { issuer: '<issuer>' }, { scopes: ['TOKENS'] });
add(
  'mutation',
  ['restoreTokens'],
  'KEY',
  { identity: '<identity>' },
  { ...OWN_PROJECT_ONLY, scopes: ['TOKENS'] },
);
add('mutation', ['createStreamTicket'], 'TOKEN');
add('mutation', ['createGuest'], 'ANYONE');
add('mutation', ['createDevelopmentToken'], 'ANYONE', { identity: 'ada' });
add(
  'mutation',
  ['reauthenticate'],
  'SELF',
  { credential: '<credential>' },
  {
    isLive: true,
    foreign: 'UNAUTHENTICATED',
  },
);

add('mutation', ['createProject'], 'OPERATOR', {}, { foreign: 'FORBIDDEN' });
add(
  'mutation',
  ['updateProject'],
  'KEY',
  { settings: { guestSeconds: 600 } },
  { ...OWN_PROJECT_ONLY, scopes: ['ADMIN'] },
);
add('mutation', ['createApiKey'], 'KEY', {}, { ...OWN_PROJECT_ONLY, scopes: SCOPES });
add(
  'mutation',
  ['createApiKey', 'of another project'],
  'OPERATOR',
  { project: 'third' },
  {
    foreign: 'FORBIDDEN',
  },
);
add(
  'mutation',
  ['createApiKey', 'with one scope'],
  'KEY',
  { scopes: ['KEYS'] },
  { ...OWN_PROJECT_ONLY, scopes: ['KEYS'] },
);
add('mutation', ['revokeApiKey'], 'KEY', { id: '<apiKey>' }, { scopes: ['KEYS'] });
add('mutation', ['revokeApiKey', 'of the operator'], 'OPERATOR', { id: '<operatorKey>' });
add('mutation', ['rotateApiKey'], 'KEY', { id: '<apiKey>' }, { scopes: SCOPES });
add('mutation', ['rotateApiKey', 'of the operator'], 'OPERATOR', { id: '<operatorKey>' });
add('mutation', ['resealSecrets'], 'OPERATOR', {}, { foreign: 'FORBIDDEN' });
add('mutation', ['rotateSigningKey'], 'OPERATOR', { overlapSeconds: 600 }, { foreign: 'FORBIDDEN' });

add(
  'mutation',
  ['createIssuer'],
  'KEY',
  { input: { kind: 'SIGNALBOX', key: KEY } },
  { ...OWN_PROJECT_ONLY, scopes: ['ADMIN'] },
);
add(
  'mutation',
  ['updateIssuer'],
  'KEY',
  { issuer: '<issuer>', input: { name: 'renamed' } },
  { scopes: ['ADMIN'] },
);
add('mutation', ['removeIssuer'], 'KEY', { issuer: '<issuer>' }, { scopes: ['ADMIN'] });
add('mutation', ['addIssuerKey'], 'KEY', { issuer: '<issuer>', key: KEY }, { scopes: ['ADMIN'] });
add(
  'mutation',
  ['removeIssuerKey'],
  'KEY',
  { issuer: '<issuer>', key: '<issuerKey>' },
  { scopes: ['ADMIN'] },
);

add('mutation', ['createChannel'], 'KEY', { input: {} }, { ...OWN_PROJECT_ONLY, scopes: ['CHANNELS'] });
add(
  'mutation',
  ['updateChannel'],
  'KEY',
  { id: '<channel>', input: { type: 'UNPROTECTED' } },
  { scopes: ['CHANNELS'] },
);
add('mutation', ['deleteChannel'], 'KEY', { id: '<channel>' }, { scopes: ['CHANNELS'] });
add(
  'mutation',
  ['setChannelState'],
  'MODERATE',
  { ...TARGET_CHANNEL, state: { topic: 'another' } },
  { scopes: ['CHANNELS'] },
);
add(
  'mutation',
  ['patchChannelState'],
  'MODERATE',
  { ...TARGET_CHANNEL, patch: { topic: 'another' } },
  { scopes: ['CHANNELS'] },
);

add('mutation', ['subscribeToken'], 'KEY', { channel: '<channel>', ...TOKEN }, { scopes: ['CHANNELS'] });
add(
  'mutation',
  ['subscribeToken', 'itself'],
  'ENTER',
  { ...TARGET_CHANNEL, token: '<own>' },
  { scopes: ['CHANNELS'] },
);
add('mutation', ['unsubscribeToken'], 'KEY', { ...TARGET_CHANNEL, ...TOKEN }, { scopes: ['CHANNELS'] });
add(
  'mutation',
  ['unsubscribeToken', 'itself'],
  'KEY_OR_TOKEN',
  { channel: '<channel>', token: '<own>' },
  { scopes: ['CHANNELS'] },
);
add(
  'mutation',
  ['subscribeTokens'],
  'KEY',
  { channels: ['<channel>'], tokens: ['<token>'] },
  { ...OWN_PROJECT_ONLY, scopes: ['CHANNELS'] },
);
add(
  'mutation',
  ['subscribeTokens', 'without a channel'],
  'KEY',
  { channels: [], tokens: ['<token>'] },
  { ...OWN_PROJECT_ONLY, scopes: ['CHANNELS'] },
);
add(
  'mutation',
  ['unsubscribeTokens'],
  'KEY',
  { channels: ['<targetChannel>'], tokens: ['<token>'] },
  { ...OWN_PROJECT_ONLY, scopes: ['CHANNELS'] },
);

add('mutation', ['publishMessage'], 'PUBLISH', { ...TARGET_CHANNEL, event: 'said' });
add('mutation', ['publishMessage', 'of an ephemeral message'], 'PUBLISH', {
  ...TARGET_CHANNEL,
  event: 'said',
  ephemeral: true,
});
add('mutation', ['publishMessages'], 'PUBLISH', { messages: [{ ...TARGET_CHANNEL, event: 'said' }] });
add(
  'mutation',
  ['publishDirectMessage', 'to a token'],
  'KEY',
  { ...TOKEN, event: 'said' },
  { scopes: ['PUBLISH'] },
);
add(
  'mutation',
  ['publishDirectMessage', 'to an identity'],
  'KEY',
  { identity: '<identity>', event: 'said' },
  { scopes: ['PUBLISH'] },
);
add('mutation', ['publishDirectMessage', 'to a connection'], 'PUBLISH', {
  connection: '<connection>',
  ...TARGET_CHANNEL,
  event: 'said',
});
add('mutation', ['setPresence'], 'ANYONE', { state: { mood: 'validCredentials' } }, { isLive: true });

for (const field of ['mute', 'unmute', 'ban', 'unban']) {
  add('mutation', [field], 'MODERATE', { ...TOKEN, ...TARGET_CHANNEL });
  add('mutation', [field, 'an identity'], 'MODERATE', { identity: '<identity>', ...TARGET_CHANNEL });
}
for (const field of ['mute', 'unmute', 'disconnect'])
  add('mutation', [field, 'everywhere'], 'KEY', TOKEN, { scopes: ['MODERATE'] });
add('mutation', ['disconnect'], 'MODERATE', { ...TOKEN, ...TARGET_CHANNEL });
add('mutation', ['disconnect', 'a connection'], 'MODERATE', {
  connection: '<connection>',
  ...TARGET_CHANNEL,
});
add(
  'mutation',
  ['disconnect', 'a connection anywhere'],
  'KEY',
  { connection: '<connection>' },
  { scopes: ['MODERATE'] },
);

add('subscription', ['events'], 'ANYONE');
add('subscription', ['messages'], 'SUBSCRIBE', TARGET_CHANNEL);
add('subscription', ['activity'], 'KEY', {}, { ...OWN_PROJECT_ONLY, scopes: ['READ'] });
add('subscription', ['activity', 'in a channel'], 'KEY', TARGET_CHANNEL, {
  ...OWN_PROJECT_ONLY,
  scopes: ['READ'],
});
add(
  'subscription',
  ['activity', 'of administration'],
  'KEY',
  { kinds: ['ADMINISTRATION'] },
  { ...OWN_PROJECT_ONLY, scopes: ['READ', 'ADMIN'] },
);
add('subscription', ['channelState'], 'SUBSCRIBE', TARGET_CHANNEL);
add('subscription', ['presence'], 'PRESENCE', TARGET_CHANNEL);
add('subscription', ['directMessages'], 'TOKEN');

/** The calls of the matrix: every root field, with each combination of arguments that has a rule of its own. */
export const CALLS: readonly Call[] = calls;

/** Whether the call names a channel whose type affects the permissions. */
export const hasTargetChannel = ({ args }: Call) => JSON.stringify(args).includes('<targetChannel>');

const schema = createSchema();
const ROOTS = {
  query: schema.getQueryType()!,
  mutation: schema.getMutationType()!,
  subscription: schema.getSubscriptionType()!,
};

/** All root fields of the schema, as `query viewer`. */
export const rootFields = () =>
  Object.entries(ROOTS).flatMap(([type, root]) =>
    Object.keys(root.getFields()).map((name) => `${type} ${name}`),
  );

/** Selections of fields that report a refusal in their data. */
const SELECTIONS: Record<string, string> = { publishMessages: '{ error { code } }' };

/** The document of a call: arguments as variables, and the smallest possible selection. */
export function documentOf({ type, field, args }: Call): string {
  const root = ROOTS[type].getFields()[field];
  if (!root) throw new TypeError(`The schema has no ${type} ${field}.`);
  const passedArguments = root.args.filter(({ name }) => name in args);
  if (passedArguments.length < Object.keys(args).length)
    throw new TypeError(`${field} lacks one of the arguments ${Object.keys(args).join(', ')}.`);
  const declared = passedArguments.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const selectedArguments = passedArguments.map(({ name }) => `${name}: $${name}`).join(', ');
  const isLeaf = isLeafType(getNamedType(root.type));
  return `${type} ${declared && `(${declared})`} { ${field}${selectedArguments && `(${selectedArguments})`} ${isLeaf ? '' : (SELECTIONS[field] ?? '{ __typename }')} }`;
}
