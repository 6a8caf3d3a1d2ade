import { SCOPES, type Scope } from './callers.ts';
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
  /** Unique title, also among the calls of one field. Its first word is the field. */
  title: string;
  args: Readonly<Record<string, unknown>>;
}

const calls: Call[] = [];

const add =
  (type: Call['type']) =>
  (title: string, rule: CallRule, args: Call['args'] = {}): void => {
    const [field = ''] = title.split(' ');
    const about = hasTargetChannel({ args }) ? 'TARGET' : 'OTHER';
    calls.push({ type, field, title, args, about, ...rule });
  };
const query = add('query');
const mutation = add('mutation');
const subscription = add('subscription');

/** Whether the call names a channel whose type affects the permissions. */
export const hasTargetChannel = ({ args }: Pick<Call, 'args'>) =>
  JSON.stringify(args).includes('<targetChannel>');

/** @param scopes the scopes that an API key needs; none: the scope of the action that is the rule */
const by = (rule: Rule, ...scopes: readonly Scope[]): CallRule =>
  scopes.length > 0 ? { rule, scopes } : { rule };
const byKey = (...scopes: readonly Scope[]) => by('KEY', ...scopes);
/** For calls about a whole project: an API key of another project is answered about its own project. */
const byKeyOfProject = (...scopes: readonly Scope[]): CallRule => ({ ...byKey(...scopes), foreign: null });
const BY_ANYONE = by('ANYONE');
const BY_OPERATOR: CallRule = { rule: 'OPERATOR', foreign: 'FORBIDDEN' };

const KEY = { id: '<name>', secret: 'a secret that has 32 bytes or options' };
const TOKEN = { token: '<token>' };
const TARGET_CHANNEL = { channel: '<targetChannel>' };
const MESSAGE = { ...TARGET_CHANNEL, event: 'said' };

query('viewer', BY_ANYONE);
query('isOnline', by('KEY_OR_SELF', 'READ'), { token: '<self>' });
query('token', by('KEY_OR_SELF', 'READ'), { id: '<self>' });
query('tokens', byKeyOfProject('READ'));
query('tokens that are online', byKeyOfProject('READ'), { online: true });
query('channel', by('SUBSCRIBE'), { id: '<targetChannel>' });
query('channels', byKeyOfProject('READ'));
query('connections', byKeyOfProject('READ'));
query('connections of a channel', byKeyOfProject('READ'), TARGET_CHANNEL);
query('explainDelivery', byKey('READ'), { message: 'msg_unknown', ...TOKEN });
query('stats', byKeyOfProject('READ'));
query('stats of another project', BY_OPERATOR, { project: 'third' });
query('project', byKeyOfProject('READ'));
query('projects', BY_OPERATOR);
query('revocations', byKeyOfProject('READ'));
query('restrictions', byKeyOfProject('READ'));
query('restrictions of a channel', by('MODERATE', 'READ'), TARGET_CHANNEL);
query('restrictions of a token in a channel', by('MODERATE', 'READ'), { ...TARGET_CHANNEL, ...TOKEN });
const question = { ...TARGET_CHANNEL, action: 'PUBLISH' };
query('explainPermission', by('KEY_OR_SELF', 'READ'), { token: '<self>', ...question });
query('explainPermission for an anonymous caller', byKeyOfProject('READ'), question);

mutation(
  'createToken in a channel',
  { ...byKey('TOKENS', 'CHANNELS'), foreign: 'NOT_FOUND' },
  { input: { channels: ['<channel>'] } },
);
mutation('createToken', byKeyOfProject('TOKENS'));
mutation('createCredential', byKey('TOKENS'), TOKEN);
mutation('updateToken', byKey('TOKENS'), { id: '<token>', input: { role: 'MODERATOR' } });
mutation('revokeToken', byKey('TOKENS'), { id: '<token>' });
mutation('revokeTokens', byKeyOfProject('TOKENS'), { identity: '<identity>' });
mutation('revokeTokens of an issuer', byKey('TOKENS'), { issuer: '<issuer>' });
mutation('restoreTokens', byKeyOfProject('TOKENS'), { identity: '<identity>' });
mutation('createStreamTicket', by('TOKEN'));
mutation('createGuest', BY_ANYONE);
mutation('createDevelopmentToken', BY_ANYONE, { identity: 'ada' });
mutation(
  'reauthenticate',
  { ...by('SELF'), isLive: true, foreign: 'UNAUTHENTICATED' },
  { credential: '<credential>' },
);

mutation('createProject', BY_OPERATOR);
mutation('updateProject', byKeyOfProject('ADMIN'), { settings: { guestSeconds: 600 } });
mutation('createApiKey', byKeyOfProject(...SCOPES));
mutation('createApiKey of another project', BY_OPERATOR, { project: 'third' });
mutation('createApiKey with one scope', byKeyOfProject('KEYS'), { scopes: ['KEYS'] });
mutation('revokeApiKey', byKey('KEYS'), { id: '<apiKey>' });
mutation('revokeApiKey of the operator', by('OPERATOR'), { id: '<operatorKey>' });
mutation('rotateApiKey', byKey(...SCOPES), { id: '<apiKey>' });
mutation('rotateApiKey of the operator', by('OPERATOR'), { id: '<operatorKey>' });
mutation('resealSecrets', BY_OPERATOR);
mutation('rotateSigningKey', BY_OPERATOR, { overlapSeconds: 600 });

mutation('createIssuer', byKeyOfProject('ADMIN'), { input: { kind: 'SIGNALBOX', key: KEY } });
mutation('updateIssuer', byKey('ADMIN'), { issuer: '<issuer>', input: { name: 'renamed' } });
mutation('removeIssuer', byKey('ADMIN'), { issuer: '<issuer>' });
mutation('addIssuerKey', byKey('ADMIN'), { issuer: '<issuer>', key: KEY });
mutation('removeIssuerKey', byKey('ADMIN'), { issuer: '<issuer>', key: '<issuerKey>' });

mutation('createChannel', byKeyOfProject('CHANNELS'), { input: {} });
mutation('updateChannel', byKey('CHANNELS'), { id: '<channel>', input: { type: 'UNPROTECTED' } });
mutation('deleteChannel', byKey('CHANNELS'), { id: '<channel>' });
const state = { topic: 'another' };
mutation('setChannelState', by('MODERATE', 'CHANNELS'), { ...TARGET_CHANNEL, state });
mutation('patchChannelState', by('MODERATE', 'CHANNELS'), { ...TARGET_CHANNEL, patch: state });

mutation('subscribeToken', byKey('CHANNELS'), { channel: '<channel>', ...TOKEN });
mutation('subscribeToken itself', by('ENTER', 'CHANNELS'), { ...TARGET_CHANNEL, token: '<own>' });
mutation('unsubscribeToken', byKey('CHANNELS'), { ...TARGET_CHANNEL, ...TOKEN });
mutation('unsubscribeToken itself', by('KEY_OR_TOKEN', 'CHANNELS'), { channel: '<channel>', token: '<own>' });
mutation('subscribeTokens', byKeyOfProject('CHANNELS'), { channels: ['<channel>'], tokens: ['<token>'] });
mutation('subscribeTokens without a channel', byKeyOfProject('CHANNELS'), {
  channels: [],
  tokens: ['<token>'],
});
mutation('unsubscribeTokens', byKeyOfProject('CHANNELS'), {
  channels: ['<targetChannel>'],
  tokens: ['<token>'],
});

mutation('publishMessage', by('PUBLISH'), MESSAGE);
mutation('publishMessage of an ephemeral message', by('PUBLISH'), { ...MESSAGE, ephemeral: true });
mutation('publishMessages', by('PUBLISH'), { messages: [MESSAGE] });
mutation('publishDirectMessage to a token', byKey('PUBLISH'), { ...TOKEN, event: 'said' });
mutation('publishDirectMessage to an identity', byKey('PUBLISH'), { identity: '<identity>', event: 'said' });
mutation('publishDirectMessage to a connection', by('PUBLISH'), { connection: '<connection>', ...MESSAGE });
mutation('setPresence', { ...BY_ANYONE, isLive: true }, { state: { mood: 'validCredentials' } });

for (const field of ['mute', 'unmute', 'ban', 'unban']) {
  mutation(field, by('MODERATE'), { ...TOKEN, ...TARGET_CHANNEL });
  mutation(`${field} an identity`, by('MODERATE'), { identity: '<identity>', ...TARGET_CHANNEL });
}
for (const field of ['mute', 'unmute', 'disconnect'])
  mutation(`${field} everywhere`, byKey('MODERATE'), TOKEN);
mutation('disconnect', by('MODERATE'), { ...TOKEN, ...TARGET_CHANNEL });
mutation('disconnect a connection', by('MODERATE'), { connection: '<connection>', ...TARGET_CHANNEL });
mutation('disconnect a connection anywhere', byKey('MODERATE'), { connection: '<connection>' });

subscription('events', BY_ANYONE);
subscription('messages', by('SUBSCRIBE'), TARGET_CHANNEL);
subscription('activity', byKeyOfProject('READ'));
subscription('activity in a channel', byKeyOfProject('READ'), TARGET_CHANNEL);
subscription('activity of administration', byKeyOfProject('READ', 'ADMIN'), { kinds: ['ADMINISTRATION'] });
subscription('channelState', by('SUBSCRIBE'), TARGET_CHANNEL);
subscription('presence', by('PRESENCE'), TARGET_CHANNEL);
subscription('directMessages', by('TOKEN'));

/** The calls of the matrix: every root field, with each combination of arguments that has a rule of its own. */
export const CALLS: readonly Call[] = calls;
