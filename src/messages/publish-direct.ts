import { type Broker, type Published } from '../broker/broker.ts';
import { RightsChanged } from '../broker/delivery.ts';
import { type Draft } from '../broker/message.ts';
import { type Access } from '../channels/access.ts';
import { type Config } from '../config.ts';
import { type RightsWatch } from '../connections/rights-watch.ts';
import { badInput, notFound, SignalboxError } from '../errors.ts';
import { requireBytes } from '../names.ts';
import { requireApiKey, type Caller, type TokenCaller } from '../tokens/caller.ts';
import { type Tokens } from '../tokens/tokens.ts';
import { type CreateDraft, type PublishInput } from './draft.ts';

/** The recipient of a direct message: exactly one of `token`, `identity` and `connection`. */
export interface DirectAddress {
  token?: string | undefined;
  identity?: string | undefined;
  connection?: string | undefined;
  /** Required when a token sends to a connection: a channel that the connection is in and the token may PUBLISH to. */
  channel?: string | undefined;
}

/** Publishes a direct message; see `Publisher.publishDirect`. */
export type PublishDirect = (caller: Caller, to: DirectAddress, input: PublishInput) => Promise<Published>;

export function createPublishDirect(deps: {
  broker: Broker;
  access: Access;
  tokens: Tokens;
  config: Pick<Config, 'maxSignalBytes'>;
  createDraft: CreateDraft;
  takeFromRateLimit: (caller: Caller) => void;
  /** Calls `work` again, with the current caller, when it throws RightsChanged. */
  byCurrentRights: <T>(
    caller: Caller,
    work: (caller: Caller, watch: RightsWatch) => Promise<T>,
  ) => Promise<T>;
  /** @throws RightsChanged when the rights of the publisher may have changed */
  publishDraft: (draft: Draft, watch: RightsWatch) => Promise<Published>;
  /** Called after each message to a connection with its project and duration, for metrics. */
  published: (projectId: string, seconds: number) => void;
}): PublishDirect {
  const { broker, access, tokens, config, createDraft, takeFromRateLimit, byCurrentRights } = deps;
  const { publishDraft, published } = deps;

  /** The size limit of a signal's data as JSON. A string is checked here instead, because its quotes and escapes do not count. */
  function maxSignalBytesOf(data: unknown): number {
    if (typeof data !== 'string') return config.maxSignalBytes;
    requireBytes(Buffer.byteLength(data), config.maxSignalBytes, 'data');
    return Number.POSITIVE_INFINITY;
  }

  /** @throws FORBIDDEN, UNAUTHENTICATED unless the caller may publish direct messages at all */
  function requirePublisher(caller: Caller, { connection, channel }: DirectAddress): void {
    if (caller.kind !== 'TOKEN' || connection === undefined)
      requireApiKey(caller, 'PUBLISH', connection === undefined ? undefined : channel);
  }

  async function requireSignalling(caller: TokenCaller, { channel }: DirectAddress): Promise<void> {
    if (!caller.settings.publishersSignal)
      throw new SignalboxError(
        'FORBIDDEN',
        'In this project, only API keys may publish direct messages to a connection.',
      );
    if (channel === undefined)
      throw badInput('channel', 'is required with a token: name a channel that the connection is in.');
    await access.require(caller, 'PUBLISH', channel);
  }

  async function signalConnection(
    draft: Draft,
    connectionId: string,
    watch: RightsWatch,
  ): Promise<Published> {
    const { projectId, id, address, event, data, sender, publishedAt } = draft;
    const message = { projectId, id, address, event, data, sender, publishedAt, logged: null };
    const startedAt = performance.now();
    // A node that was paused meanwhile learns here of the changes that it missed.
    await broker.untilLive();
    if (watch.hasChanged) throw new RightsChanged();
    const affected = await broker.control({
      kind: 'CONNECTION_MESSAGE',
      projectId,
      connectionId,
      message,
    });
    published(projectId, (performance.now() - startedAt) / 1000);
    return { message, connections: affected > 0 ? 1 : 0, repeated: false };
  }

  async function publishOnce(
    caller: Caller,
    to: DirectAddress,
    input: PublishInput,
    watch: RightsWatch,
  ): Promise<Published> {
    const { token, identity, connection } = to;
    const { projectId } = caller;
    requirePublisher(caller, to);
    if (caller.kind === 'TOKEN') await requireSignalling(caller, to);
    if (token !== undefined) {
      const record = await tokens.find(projectId, token);
      if (!record) throw notFound('token', token);
      if (record.revokedAt !== null)
        throw new SignalboxError('TOKEN_REVOKED', `The token “${token}” was revoked.`);
      return publishDraft(createDraft(caller, `token:${token}`, input), watch);
    }
    if (identity !== undefined) {
      if (!(await tokens.hasIdentity(projectId, identity))) throw notFound('token of identity', identity);
      return publishDraft(createDraft(caller, `identity:${identity}`, input), watch);
    }
    const connectionId = connection ?? '';
    if (!(await broker.leases.find(projectId, connectionId))) throw notFound('live connection', connectionId);
    if (to.channel !== undefined && !(await broker.leases.isIn(projectId, connectionId, to.channel)))
      throw notFound(`live connection in “${to.channel}”`, connectionId);
    if (input.idempotencyKey !== undefined)
      throw badInput(
        'idempotencyKey',
        'is not supported with a connection, because its messages are not stored.',
      );
    const maxBytes = maxSignalBytesOf(input.data);
    const ephemeral = { ...input, ephemeral: true };
    const draft = createDraft(caller, `connection:${connectionId}`, ephemeral, maxBytes);
    return signalConnection(draft, connectionId, watch);
  }

  return async (caller, to, input) => {
    requirePublisher(caller, to);
    takeFromRateLimit(caller);
    if ([to.token, to.identity, to.connection].filter((id) => id !== undefined).length !== 1) {
      throw badInput('token', 'name exactly one of token, identity and connection.');
    }
    return byCurrentRights(caller, (current, watch) => publishOnce(current, to, input, watch));
  };
}
