import { MAX_LISTENERS_PER_PROJECT } from '../observability/activity-feed.ts';
import { MAX_WAITING, MAX_WAITING_DATA } from '../observability/activity-backlog.ts';
import { GATHER_MS } from '../observability/activity-gatherer.ts';
import { ACTIVITIES_PER_SECOND, MAX_RECENT } from '../observability/activity-listener.ts';
import { MAX_MESSAGES } from '../observability/delivery-records.ts';
import { MAX_KEPT, MAX_KEPT_PER_PROJECT } from '../observability/recent-activities.ts';
import { ACTIVITY_KINDS, type Activity } from '../observability/activity.ts';
import { builder, nullToUndefined } from './builder.ts';
import { described, ErrorCodeEnum } from './enums.ts';

const ActivityKindEnum = builder.enumType('ActivityKind', {
  description: 'The kind of an activity.',
  values: described(ACTIVITY_KINDS, {
    MESSAGE: 'A message was published: to a channel, or directly to a token, an identity or a connection.',
    PRESENCE: 'A connection joined or left a channel, or changed its presence state.',
    CONNECTION: 'A connection was opened or closed, or presented a new credential.',
    TOKEN: 'A token or a credential was created, changed, used for the first time or revoked.',
    MEMBERSHIP: 'A token was subscribed to a channel or unsubscribed.',
    CHANNEL: 'A channel was created, changed or deleted.',
    MODERATION: 'A mute or a ban was imposed or lifted, or a connection was disconnected.',
    REFUSAL:
      'A caller was refused for missing authority. As in the audit log, a flood of refusals is counted instead of listed.',
    ADMINISTRATION: 'A project, an API key, a signing key or an issuer was changed.',
    SKIPPED: 'Activities were skipped, because they came too fast or the client read too slowly.',
  }),
});

const ActivityRef = builder.objectRef<Activity>('Activity').implement({
  description: 'Something that happened in the project. Fields that do not apply to the action are null.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
    kind: t.expose('kind', { type: ActivityKindEnum, description: 'The kind of the activity.' }),
    action: t.exposeString('action', {
      description:
        'The action: one of the audit log, such as `credential.create`, or `message.publish`, `presence.join`, `presence.leave`, `presence.update`, `connection.open`, `connection.renew`, `connection.close`, `skipped`.',
    }),
    actor: t.exposeID('actor', {
      nullable: true,
      description:
        'The id of the API key or token that acted, or `anonymous`. Null for messages of API keys, because a message does not record the key.',
    }),
    subject: t.exposeID('subject', {
      nullable: true,
      description: 'The id of the object that was acted on, as in the audit log.',
    }),
    channel: t.exposeID('channelId', { nullable: true, description: 'The id of the channel.' }),
    token: t.exposeID('tokenId', {
      nullable: true,
      description:
        'The id of the token that the activity is about: the recipient of a direct message, else the token that was acted on, else the token that acted.',
    }),
    identity: t.exposeString('identity', {
      nullable: true,
      description:
        'The identity of the token in `token`, if it is known; for a direct message to an identity, that identity.',
    }),
    connection: t.exposeID('connectionId', { nullable: true, description: 'The id of the connection.' }),
    code: t.expose('code', { type: ErrorCodeEnum, nullable: true, description: 'The code of a refusal.' }),
    reason: t.exposeString('reason', {
      nullable: true,
      description:
        'Why a caller was refused, a connection was closed or left a channel: more exact than the message that the client received.',
    }),
    sentence: t.exposeString('sentence', {
      nullable: true,
      description: 'The sentence that a refused caller was shown, cut to 300 characters.',
    }),
    field: t.exposeString('field', { nullable: true, description: 'The GraphQL field that was refused.' }),
    address: t.exposeString('address', {
      nullable: true,
      description: 'The network address of a refused caller; null for API keys without the scope ADMIN.',
    }),
    count: t.exposeInt('count', {
      nullable: true,
      description:
        'How many activities were skipped; for the action `refused.omitted`, how many refusals have no activity of their own.',
    }),
    message: t.id({
      nullable: true,
      description: 'The id of a message.',
      resolve: ({ message }) => message?.id,
    }),
    event: t.string({
      nullable: true,
      description: 'The event name of a message.',
      resolve: ({ message }) => message?.event,
    }),
    data: t.expose('data', {
      type: 'JSON',
      nullable: true,
      description:
        'The data of a message, or the presence state. Null without `payloads: true`, for direct messages unless the API key has the scope ADMIN, and for what is replayed.',
    }),
    replayed: t.boolean({
      description: 'Whether it happened before the subscription began: see `recent`.',
      resolve: ({ isReplayed }) => isReplayed ?? false,
    }),
  }),
});

builder.subscriptionFields((t) => ({
  activity: t.field({
    type: ActivityRef,
    description: `Yields the activities of the project from now on, after the newest past ones if \`recent\` is set: everything that is written to the audit log, and messages, presence and connections. Messages and presence come from all nodes; the rest comes from the node that serves the subscription. Activities are gathered for up to ${GATHER_MS} ms. Beyond \`perSecond\` messages, presence changes and connections, beyond ${ACTIVITIES_PER_SECOND} activities a second, and when more than ${MAX_WAITING} activities of the project, or ${MAX_WAITING_DATA / 2 ** 20} MB of their data, wait for a client that reads too slowly, activities are skipped, and an activity of the kind SKIPPED tells once a second how many. For API keys; ADMINISTRATION needs the scope ADMIN. The operator also receives the refusals of callers whose project was not known. At most ${MAX_LISTENERS_PER_PROJECT} such subscriptions may be open in a project. Throws UNAUTHENTICATED, FORBIDDEN, LIMIT_EXCEEDED, BAD_USER_INPUT.`,
    args: {
      kinds: t.arg({
        type: [ActivityKindEnum],
        description:
          'Only activities of these kinds; absent: all that the API key may see. SKIPPED is always included.',
      }),
      channel: t.arg.id({ description: 'Only activities in this channel.' }),
      token: t.arg.id({ description: 'Only activities that are about this token, or by it.' }),
      identity: t.arg.string({
        description: 'Only activities about this identity, as far as the activity names it.',
      }),
      perSecond: t.arg.int({
        description: `How many messages, presence changes and changes of connections are received per second on average, from 1 to ${ACTIVITIES_PER_SECOND}; a burst of twice as many passes. ${ACTIVITIES_PER_SECOND} by default. A window that a person reads saves the service work with a lower rate.`,
      }),
      recent: t.arg.int({
        description: `The number of newest past activities with which the subscription begins, the oldest of them first: from 0 to ${MAX_RECENT}; 0 by default. Nothing is missing between them and the later ones, and nothing comes twice. They come from the memory of the node that serves the subscription, without their data: of the last ${MAX_MESSAGES.toLocaleString('en')} messages that it delivered, and, in each project, at least the last ${MAX_KEPT_PER_PROJECT / 2} presence changes and connections and the last ${MAX_KEPT_PER_PROJECT / 2} others, up to ${MAX_KEPT.toLocaleString('en')} in all projects. A stream that is opened again begins with them again.`,
      }),
      payloads: t.arg.boolean({
        description:
          'Whether to include the data of messages and presence states; with the scope ADMIN, also of direct messages. False by default.',
      }),
    },
    subscribe: async (_, { kinds, channel, token, identity, payloads, perSecond, recent }, context) =>
      context.domain.activity.open(await context.connect(), {
        kinds: nullToUndefined(kinds),
        channel: nullToUndefined(channel),
        token: nullToUndefined(token),
        identity: nullToUndefined(identity),
        payloads: payloads ?? false,
        perSecond: perSecond ?? ACTIVITIES_PER_SECOND,
        recent: recent ?? 0,
      }),
    resolve: (activity) => activity,
  }),
}));
