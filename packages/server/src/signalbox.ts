import { createActivity } from './activity.ts';
import { createChannels } from './channels.ts';
import { createListConnections } from './connections.ts';
import { createExplainDelivery } from './delivery.ts';
import { createIssuers } from './issuers.ts';
import { createMessages } from './messages.ts';
import { createModeration } from './moderation.ts';
import { type CallOptions, type SignalboxOptions } from './options.ts';
import { createApiKeys, createProject } from './project.ts';
import { createRevocations } from './revocations.ts';
import { createSigner } from './sign.ts';
import { createGetStats } from './stats.ts';
import { createExplainPermission, createTokens } from './tokens.ts';
import { type Operation } from './transport/operation.ts';
import { createTransport } from './transport/request.ts';

/**
 * Signalbox for a backend. One instance serves the whole process; it holds no connection of its own, except while
 * a loop over `activity` runs, and needs no closing.
 *
 * @example
 * ```ts
 * const signalbox = new Signalbox(process.env.SIGNALBOX_API_KEY, { url: 'https://realtime.example' });
 * const { credential, cursor } = await signalbox.tokens.create({ identity: 'ada', channels: ['lobby'] });
 * await signalbox.publishMessage('lobby', 'message', { text: 'hello' });
 * ```
 */
export class Signalbox {
  /** Create, read, list, change and revoke tokens. */
  readonly tokens: ReturnType<typeof createTokens>;
  /** Create, read, list, change and delete channels, their state, their history and their members. */
  readonly channels: ReturnType<typeof createChannels>;
  /** Accept credentials that another party signs: register its keys, list, change and remove issuers. */
  readonly issuers: ReturnType<typeof createIssuers>;
  /** Create, list, rotate and revoke API keys. */
  readonly apiKeys: ReturnType<typeof createApiKeys>;
  /** Read the project of the API key and change its settings. */
  readonly project: ReturnType<typeof createProject>;
  /**
   * Signs a credential for an identity, without a call to the service. Its token is created when the credential is first used.
   * The API key must be allowed to sign: the first one of a project is.
   * @throws SignalboxError BAD_USER_INPUT
   */
  readonly sign: ReturnType<typeof createSigner>;
  readonly publishMessage: ReturnType<typeof createMessages>['publishMessage'];
  readonly publishMessages: ReturnType<typeof createMessages>['publishMessages'];
  readonly publishDirectMessage: ReturnType<typeof createMessages>['publishDirectMessage'];
  readonly revokeTokens: ReturnType<typeof createRevocations>['revokeTokens'];
  readonly listRevocations: ReturnType<typeof createRevocations>['listRevocations'];
  readonly restoreTokens: ReturnType<typeof createRevocations>['restoreTokens'];
  readonly mute: ReturnType<typeof createModeration>['mute'];
  readonly unmute: ReturnType<typeof createModeration>['unmute'];
  readonly ban: ReturnType<typeof createModeration>['ban'];
  readonly unban: ReturnType<typeof createModeration>['unban'];
  readonly listRestrictions: ReturnType<typeof createModeration>['listRestrictions'];
  readonly explainPermission: ReturnType<typeof createExplainPermission>;
  readonly explainDelivery: ReturnType<typeof createExplainDelivery>;
  readonly listConnections: ReturnType<typeof createListConnections>;
  readonly stats: ReturnType<typeof createGetStats>;
  readonly activity: ReturnType<typeof createActivity>;
  readonly disconnect: ReturnType<typeof createModeration>['disconnect'];
  /**
   * Executes a GraphQL document of your own. It is repeated only after errors after which the service changed nothing.
   * @throws SignalboxError
   */
  readonly graphql: <Result = Record<string, unknown>>(
    document: string,
    variables?: Record<string, unknown>,
    options?: CallOptions,
  ) => Promise<Result>;

  /**
   * @param apiKey `key_<id>.<secret>`. It stays in the process: an instance shows it in no log and no error.
   * @throws SignalboxError BAD_USER_INPUT when the key or an option is malformed
   */
  constructor(apiKey: string | undefined, options: SignalboxOptions) {
    const transport = createTransport(apiKey, options);
    const { request } = transport;
    this.tokens = createTokens(request);
    this.channels = createChannels(request);
    this.issuers = createIssuers(request);
    this.apiKeys = createApiKeys(request);
    this.project = createProject(request);
    this.sign = createSigner(apiKey ?? '');
    const messages = createMessages(transport);
    this.publishMessage = messages.publishMessage;
    this.publishMessages = messages.publishMessages;
    this.publishDirectMessage = messages.publishDirectMessage;
    const revocations = createRevocations(request);
    this.revokeTokens = revocations.revokeTokens;
    this.listRevocations = revocations.listRevocations;
    this.restoreTokens = revocations.restoreTokens;
    this.explainPermission = createExplainPermission(request);
    const moderation = createModeration(request);
    this.mute = moderation.mute;
    this.unmute = moderation.unmute;
    this.ban = moderation.ban;
    this.unban = moderation.unban;
    this.listRestrictions = moderation.listRestrictions;
    this.explainDelivery = createExplainDelivery(request);
    this.listConnections = createListConnections(request);
    this.stats = createGetStats(request);
    this.activity = createActivity(transport.follow);
    this.disconnect = moderation.disconnect;
    this.graphql = <Result>(document: string, variables: Record<string, unknown> = {}, call?: CallOptions) =>
      request(document as Operation<Result, Record<string, unknown>>, variables, 'once', call);
  }
}
