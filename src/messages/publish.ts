import { createHash } from 'node:crypto';
import { type Broker, type Published } from '../broker/broker.ts';
import { channelAddress, type Address, type Draft } from '../broker/message.ts';
import { type Access, type ChannelAccess } from '../channels/access.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { badInput, notFound, SignalboxError } from '../errors.ts';
import { auditMessage, type Audit } from '../audit.ts';
import { type NewId } from '../ids.ts';
import { canonicalJson, parseName, requireBytes, requireJson, type Json } from '../names.ts';
import { outcomeErrorOf, type OutcomeError } from '../outcome-error.ts';
import { type RateLimit } from '../rate-limit.ts';
import { Slices } from '../slices.ts';
import { actorOf, requireApiKey, type Caller, type TokenCaller } from '../tokens/caller.ts';
import { type Tokens } from '../tokens/tokens.ts';
import { senderOf } from './sender.ts';

/** How long an idempotency key is remembered, in seconds: 24 hours. */
export const IDEMPOTENCY_SECONDS = 86_400;

/** The maximum number of messages in one call of `publishAll`. */
export const MAX_PUBLISHES = 100;

export interface PublishInput {
  /** 1–128 letters, digits and `_ . : ~ -`. */
  event: string;
  /** A JSON value; its size is limited by `maxDataBytes`. Default: null. */
  data?: unknown;
  /** Skips the log: the message is delivered to live subscribers only. Default: false. */
  ephemeral?: boolean | undefined;
  /** 1–255 visible ASCII characters. A repeat within 24 hours returns the first message and publishes nothing. */
  idempotencyKey?: string | undefined;
}

/** A message of a batch. */
export interface ChannelPublishInput extends PublishInput {
  channel: string;
}

/** The outcome of one message of a batch: exactly one of the two is null. */
export interface PublishOutcome {
  published: Published | null;
  error: OutcomeError | null;
}

/** The recipient of a direct message: exactly one of `token`, `identity` and `connection`. */
export interface DirectAddress {
  token?: string | undefined;
  identity?: string | undefined;
  connection?: string | undefined;
  /** Required when a token sends to a connection: a channel that the connection is in and the token may PUBLISH to. */
  channel?: string | undefined;
}

export interface Publisher {
  /**
   * Publishes a message to a channel. When this resolves, the message is in the log (unless it is ephemeral) and has been
   * delivered to the live subscribers of the channel.
   * @throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND unless the caller may PUBLISH to the channel
   * @throws RATE_LIMITED, PAYLOAD_TOO_LARGE, BAD_USER_INPUT
   * @throws CONFLICT when the idempotency key was used for a different message
   * @throws UNAVAILABLE when the log cannot be written
   */
  publish(caller: Caller, channelId: string, input: PublishInput): Promise<Published>;
  /**
   * Publishes up to MAX_PUBLISHES messages to channels, in order. A message that is refused is reported in its outcome, at
   * the same index, and holds back no other message. Each message counts against the rate limit. The messages may be divided
   * among several transactions of the log; if one of them fails, the outcomes of its messages are UNAVAILABLE.
   * @throws LIMIT_EXCEEDED for more messages
   * @throws UNAVAILABLE when the log cannot be written and no message is known to be published
   */
  publishAll(caller: Caller, inputs: readonly ChannelPublishInput[]): Promise<PublishOutcome[]>;
  /**
   * Publishes a direct message to a token, to all tokens of an identity, or to one live connection. Messages to a
   * connection are never logged. Requires an API key; a token may send to a connection where the project setting
   * `publishersSignal` is on.
   * @throws as `publish`
   * @throws NOT_FOUND when the token, identity or live connection does not exist
   * @throws TOKEN_REVOKED when the recipient token was revoked
   * @example
   * await publisher.publishDirect(caller, { identity: 'ada' }, { event: 'reminder', data: { at: '10:00' } });
   */
  publishDirect(caller: Caller, to: DirectAddress, input: PublishInput): Promise<Published>;
}

export function createPublisher(deps: {
  broker: Broker;
  access: Access;
  tokens: Tokens;
  clock: Clock;
  newId: NewId;
  config: Config;
  limits: { perToken: RateLimit; perKey: RateLimit };
  /** Called after each successful publish with its project and duration, for metrics. */
  published: (projectId: string, seconds: number) => void;
  audit: Audit;
  /** Called with the failures of the log that only outcomes of a batch report. */
  onFault: (error: unknown) => void;
}): Publisher {
  const { broker, access, tokens, clock, newId, config, limits, published, audit, onFault } = deps;

  function createDraft(
    caller: Caller,
    address: Address,
    input: PublishInput,
    maxDataBytes = config.maxDataBytes,
  ): Draft {
    const event = parseName('event', input.event, 'event');
    const data = (input.data ?? null) as Json;
    const bytes = requireJson(data, maxDataBytes, 'data');
    const { projectId } = caller;
    const ephemeral = input.ephemeral ?? false;
    const publishedAt = clock.now();
    const key =
      input.idempotencyKey === undefined
        ? undefined
        : parseName('idempotencyKey', input.idempotencyKey, 'idempotencyKey');
    return {
      projectId,
      id: newId('msg'),
      address,
      event,
      data,
      bytes,
      sender: senderOf(caller),
      publishedAt,
      ephemeral,
      idempotencyKey: key,
      idempotency:
        key === undefined
          ? undefined
          : {
              key: `${idempotencyScopeOf(caller)} ${key}`,
              fingerprint: createHash('sha256')
                .update(canonicalJson([address, event, data, ephemeral]))
                .digest('base64url'),
              expiresAt: publishedAt + IDEMPOTENCY_SECONDS * 1000,
            },
    };
  }

  /** The size limit of a signal's data as JSON. A string is checked here instead, because its quotes and escapes do not count. */
  function maxSignalBytesOf(data: unknown): number {
    if (typeof data !== 'string') return config.maxSignalBytes;
    requireBytes(Buffer.byteLength(data), config.maxSignalBytes, 'data');
    return Number.POSITIVE_INFINITY;
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

  /** Called before any lookup, so that rejected publishes count against the rate limit too. */
  function takeFromRateLimit(caller: Caller): void {
    if (caller.kind === 'API_KEY') limits.perKey.take(caller.apiKey.id);
    else if (caller.kind === 'TOKEN') limits.perToken.take(caller.token.id);
  }

  async function publishDraft(draft: Draft): Promise<Published> {
    const startedAt = performance.now();
    const result = await broker.publish(draft);
    published(draft.projectId, (performance.now() - startedAt) / 1000);
    return result;
  }

  /** Publishes to a channel for which the caller was authorized. */
  async function publishToChannel(
    caller: Caller,
    draft: Draft,
    { channel: { id, createdAfter, createdAt } }: ChannelAccess,
  ): Promise<Published> {
    draft.channel = { createdAfter, createdAt };
    try {
      return await publishDraft(draft);
    } catch (error) {
      // The channel was deleted while the message waited.
      if (error instanceof SignalboxError && error.code === 'NOT_FOUND')
        throw access.lost(caller, 'PUBLISH', id);
      throw error;
    }
  }

  /** Checks the content of a message of a batch, but not yet the permission of its caller. */
  function prepare(caller: Caller, input: ChannelPublishInput): Prepared {
    return refusalOr(() => {
      takeFromRateLimit(caller);
      return createDraft(caller, channelAddress(input.channel), input);
    });
  }

  /** The channels of a batch with the access of its caller, each looked up once. */
  async function lookUpAccess(
    caller: Caller,
    channelIds: Iterable<string>,
  ): Promise<ReadonlyMap<string, ChannelAccess | SignalboxError>> {
    const found = new Map<string, ChannelAccess | SignalboxError>();
    for (const id of new Set(channelIds))
      found.set(id, await access.require(caller, 'PUBLISH', id).catch(requireRefusal));
    return found;
  }

  /** One entry per code, not per message, so that a batch cannot flood the audit log. */
  function auditRefusals(caller: Caller, outcomes: readonly PublishOutcome[]): void {
    const codes = new Set(outcomes.map(({ error }) => error?.code));
    for (const code of ['FORBIDDEN', 'UNAUTHENTICATED'] as const) {
      if (!codes.has(code)) continue;
      const { projectId } = caller;
      const { message = '' } = outcomes.find(({ error }) => error?.code === code)?.error ?? {};
      audit({
        action: 'refused',
        actor: actorOf(caller),
        projectId,
        code,
        field: 'publishMessages',
        message: auditMessage(message),
        ...(caller.kind === 'TOKEN' && caller.token.identity !== null && { identity: caller.token.identity }),
      });
    }
  }

  async function signalConnection(draft: Draft, connectionId: string): Promise<Published> {
    const { projectId, id, address, event, data, sender, publishedAt } = draft;
    const message = { projectId, id, address, event, data, sender, publishedAt, logged: null };
    const startedAt = performance.now();
    const affected = await broker.control({
      kind: 'CONNECTION_MESSAGE',
      projectId,
      connectionId,
      message,
    });
    published(projectId, (performance.now() - startedAt) / 1000);
    return { message, connections: affected > 0 ? 1 : 0, repeated: false };
  }

  return {
    async publish(caller, channelId, input) {
      takeFromRateLimit(caller);
      const draft = createDraft(caller, channelAddress(channelId), input);
      return publishToChannel(caller, draft, await access.require(caller, 'PUBLISH', channelId));
    },
    async publishAll(caller, inputs) {
      // Without a message there is no channel whose permission could be checked.
      if (inputs.length === 0) throw badInput('messages', 'must have at least one message.');
      if (inputs.length > MAX_PUBLISHES)
        throw new SignalboxError(
          'LIMIT_EXCEEDED',
          `A call may publish at most ${MAX_PUBLISHES} messages; this call has ${inputs.length}.`,
          { limit: MAX_PUBLISHES },
        );
      const prepared: Prepared[] = [];
      const slices = new Slices();
      for (const input of inputs) {
        prepared.push(prepare(caller, input));
        if (slices.shouldYield()) await slices.nextTurn();
      }
      // From here no turn of the event loop passes until all are handed to the broker: no right ends in between, and they
      // share transactions.
      const accesses = await lookUpAccess(
        caller,
        inputs.map(({ channel }) => channel),
      );
      const results = await Promise.all(
        prepared.map(async (draft, index): Promise<Published | SignalboxError> => {
          if (draft instanceof SignalboxError) return draft;
          const channelAccess = accesses.get(inputs[index]?.channel ?? '');
          if (channelAccess === undefined) throw new Error('lookUpAccess() omitted a channel');
          if (channelAccess instanceof SignalboxError) return channelAccess;
          return publishToChannel(caller, draft, channelAccess).catch(requireSignalboxError);
        }),
      );
      requireAnyPublished(results);
      for (const cause of causesOf(results)) onFault(cause);
      const outcomes = results.map(outcomeOf);
      auditRefusals(caller, outcomes);
      return outcomes;
    },
    async publishDirect(caller, to, input) {
      const { token, identity, connection } = to;
      if (caller.kind !== 'TOKEN' || connection === undefined)
        requireApiKey(caller, 'PUBLISH', connection === undefined ? undefined : to.channel);
      takeFromRateLimit(caller);
      if ([token, identity, connection].filter((id) => id !== undefined).length !== 1) {
        throw badInput('token', 'name exactly one of token, identity and connection.');
      }
      const { projectId } = caller;
      if (caller.kind === 'TOKEN') await requireSignalling(caller, to);
      if (token !== undefined) {
        const record = await tokens.find(projectId, token);
        if (!record) throw notFound('token', token);
        if (record.revokedAt !== null)
          throw new SignalboxError('TOKEN_REVOKED', `The token “${token}” was revoked.`);
        return publishDraft(createDraft(caller, `token:${token}`, input));
      }
      if (identity !== undefined) {
        if (!(await tokens.hasIdentity(projectId, identity))) throw notFound('token of identity', identity);
        return publishDraft(createDraft(caller, `identity:${identity}`, input));
      }
      const connectionId = connection ?? '';
      if (!(await broker.leases.find(projectId, connectionId)))
        throw notFound('live connection', connectionId);
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
      return signalConnection(draft, connectionId);
    },
  };
}

/** A draft, or why its message is refused. */
type Prepared = Draft | SignalboxError;

function refusalOr<T>(work: () => T): T | SignalboxError {
  try {
    return work();
  } catch (error) {
    return requireRefusal(error);
  }
}

function outcomeOf(result: Published | SignalboxError): PublishOutcome {
  return result instanceof SignalboxError
    ? { published: null, error: outcomeErrorOf(result) }
    : { published: result, error: null };
}

/** @throws the error of the log when it cannot be written and no message is known to be published */
function requireAnyPublished(results: readonly (Published | SignalboxError)[]): void {
  const errors = results.filter((result) => result instanceof SignalboxError);
  if (errors.length < results.length) return;
  const failures = errors.filter(({ code }) => code === 'UNAVAILABLE');
  const failure = failures.find(({ fields }) => fields.outcomeUnknown) ?? failures[0];
  if (failure) throw failure;
}

/** The failures of the service behind the errors, each once: a transaction that fails has one for all of its messages. */
function causesOf(results: readonly (Published | SignalboxError)[]): ReadonlySet<unknown> {
  const errors = results.filter((result) => result instanceof SignalboxError);
  return new Set(errors.flatMap(({ cause }) => (cause === undefined ? [] : [cause])));
}

function requireSignalboxError(error: unknown): SignalboxError {
  if (error instanceof SignalboxError) return error;
  throw error;
}

/** Returns the error of a refused message. Throws failures of the service, which concern the whole batch. */
function requireRefusal(error: unknown): SignalboxError {
  if (error instanceof SignalboxError && error.cause === undefined) return error;
  throw error;
}

/** The caller that an idempotency key belongs to. The successor of a rotated API key repeats what its predecessor began. */
function idempotencyScopeOf(caller: Caller): string {
  return caller.kind === 'API_KEY' ? caller.apiKey.rootKeyId : actorOf(caller);
}
