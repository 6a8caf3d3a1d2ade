import { createHash } from 'node:crypto';
import { type Broker, type Published } from '../broker/broker.ts';
import { channelAddress, type Address, type Draft, type Sender } from '../broker/message.ts';
import { type Access } from '../channels/access.ts';
import { type Clock } from '../clock.ts';
import { type Config } from '../config.ts';
import { badInput, notFound, SignalboxError } from '../errors.ts';
import { type NewId } from '../ids.ts';
import { parseName, requireBytes, requireJson, type Json } from '../names.ts';
import { type RateLimit } from '../rate-limit.ts';
import { actorOf, requireApiKey, type Caller, type TokenCaller } from '../tokens/caller.ts';
import { type Tokens } from '../tokens/tokens.ts';

/** How long a repeat of an idempotency key is the same publish. */
export const IDEMPOTENCY_SECONDS = 86_400;

export interface PublishInput {
  event: string;
  data?: unknown;
  ephemeral?: boolean | undefined;
  /** Repeats within 24 hours yield the first message and say nothing again. */
  idempotencyKey?: string | undefined;
}

/** Exactly one of them. */
export interface DirectAddress {
  token?: string | undefined;
  identity?: string | undefined;
  connection?: string | undefined;
  /** Of a token that signals: the channel in which it may PUBLISH and the connection is. */
  channel?: string | undefined;
}

export interface Messages {
  /**
   * Says it in a channel. Once this resolves the message is kept, unless it is ephemeral, and on its way to everyone who hears the channel.
   * @throws FORBIDDEN, UNAUTHENTICATED, NOT_FOUND, RATE_LIMITED, PAYLOAD_TOO_LARGE, BAD_USER_INPUT, CONFLICT, UNAVAILABLE
   */
  publish(caller: Caller, channelId: string, input: PublishInput): Promise<Published>;
  /**
   * Says it to a token, to all tokens of an identity, or to one live connection (which is never kept). By API keys; to a
   * connection also by a token, where the project lets publishers signal.
   * @throws as `publish`; NOT_FOUND when there is nobody of that name; TOKEN_REVOKED
   */
  publishDirect(caller: Caller, to: DirectAddress, input: PublishInput): Promise<Published>;
}

export function createMessages(parts: {
  broker: Broker;
  access: Access;
  tokens: Tokens;
  clock: Clock;
  newId: NewId;
  config: Config;
  limits: { perToken: RateLimit; perKey: RateLimit };
  published: () => void;
}): Messages {
  const { broker, access, tokens, clock, newId, config, limits, published } = parts;

  function draft(
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
      idempotency:
        key === undefined
          ? undefined
          : {
              key: `${actorOf(caller)} ${key}`,
              fingerprint: createHash('sha256')
                .update(JSON.stringify([address, event, data, ephemeral]))
                .digest('base64url'),
              expiresAt: publishedAt + IDEMPOTENCY_SECONDS * 1000,
            },
    };
  }

  /** How many bytes of JSON a signal may have. A text is measured here, by itself: its quotes and escapes do not count. */
  function maxSignalBytesOf(data: unknown): number {
    if (typeof data !== 'string') return config.maxSignalBytes;
    requireBytes(Buffer.byteLength(data), config.maxSignalBytes, 'data');
    return Number.POSITIVE_INFINITY;
  }

  async function requireSignalling(caller: TokenCaller, { channel }: DirectAddress): Promise<void> {
    if (!caller.settings.publishersSignal)
      throw new SignalboxError(
        'FORBIDDEN',
        'In this project only API keys may say something to a connection.',
      );
    if (channel === undefined)
      throw badInput('channel', 'is needed of a token: the channel in which the connection is.');
    await access.require(caller, 'PUBLISH', channel);
  }

  /** Taken before anything is looked up: what is refused costs its caller too. */
  function takeShare(caller: Caller): void {
    if (caller.kind === 'API_KEY') limits.perKey.take(caller.apiKey.id);
    else if (caller.kind === 'TOKEN') limits.perToken.take(caller.token.id);
  }

  async function say(message: Draft): Promise<Published> {
    const result = await broker.publish(message);
    published();
    return result;
  }

  async function signal(message: Draft, connectionId: string): Promise<Published> {
    const { projectId, id, address, event, data, sender, publishedAt } = message;
    const signalled = { projectId, id, address, event, data, sender, publishedAt, logged: null };
    const reached = await broker.control({
      kind: 'CONNECTION_SIGNALLED',
      projectId,
      connectionId,
      message: signalled,
    });
    published();
    return { message: signalled, connections: reached > 0 ? 1 : 0, repeated: false };
  }

  return {
    async publish(caller, channelId, input) {
      takeShare(caller);
      const message = draft(caller, channelAddress(channelId), input);
      await access.require(caller, 'PUBLISH', channelId);
      return say(message);
    },
    async publishDirect(caller, to, input) {
      const { token, identity, connection } = to;
      if (caller.kind !== 'TOKEN' || connection === undefined) requireApiKey(caller);
      takeShare(caller);
      if ([token, identity, connection].filter((given) => given !== undefined).length !== 1) {
        throw badInput('token', 'name exactly one of token, identity and connection.');
      }
      const { projectId } = caller;
      if (caller.kind === 'TOKEN') await requireSignalling(caller, to);
      if (token !== undefined) {
        const record = await tokens.find(projectId, token);
        if (!record) throw notFound('token', token);
        if (record.revokedAt !== null)
          throw new SignalboxError('TOKEN_REVOKED', `The token “${token}” was revoked.`);
        return say(draft(caller, `token:${token}`, input));
      }
      if (identity !== undefined) {
        if (!(await tokens.hasIdentity(projectId, identity))) throw notFound('token of identity', identity);
        return say(draft(caller, `identity:${identity}`, input));
      }
      const id = connection ?? '';
      if (!(await broker.leases.find(projectId, id))) throw notFound('live connection', id);
      if (to.channel !== undefined && !(await broker.leases.isIn(projectId, id, to.channel)))
        throw notFound(`live connection in “${to.channel}”`, id);
      if (input.idempotencyKey !== undefined)
        throw badInput(
          'idempotencyKey',
          'has no meaning for a connection: what is said to one is never kept.',
        );
      const signalled = { ...input, ephemeral: true };
      return signal(draft(caller, `connection:${id}`, signalled, maxSignalBytesOf(input.data)), id);
    },
  };
}

function senderOf(caller: Caller): Sender {
  if (caller.kind !== 'TOKEN')
    return { kind: 'API_KEY', tokenId: null, identity: null, connectionData: null };
  const { id, identity, connectionData } = caller.token;
  return { kind: 'TOKEN', tokenId: id, identity, connectionData };
}
