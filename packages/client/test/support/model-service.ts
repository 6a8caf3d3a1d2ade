import { DOCUMENTS } from '../../src/documents.ts';
import { type ModelClock } from './model-clock.ts';

/** A message in the log of the model: the sequence is its cursor. */
export interface Kept {
  readonly sequence: number;
  readonly channel: string;
  readonly text: string;
  readonly key: string | null;
}

/** What goes wrong with a connection after a number of messages in either direction. */
export type Fault = 'cut' | 'swallow' | { readonly code: number; readonly text: string };

/** What the service answers to the next operation of a kind instead of executing it. */
export interface Refusal {
  readonly code: string;
  readonly retryable: boolean;
}

interface Socket {
  readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: (() => void) | null;
}

/** One connection, as the service sees it. */
interface Session {
  readonly socket: Socket;
  isSilent: boolean;
  token?: Token | undefined;
  expiresAt: number;
  hasWarned: boolean;
  lastSent: number;
  readonly inboxes: Set<string>;
  readonly channels: Map<string, string>;
}

interface Token {
  readonly id: string;
  isRevoked: boolean;
}

export const INBOX_CHANNELS = ['a', 'b'];
/** Is followed by a subscription of its own, because the token is not a member. */
export const SIDE_CHANNEL = 'open';
const PING_INTERVAL_MS = 15_000;

/**
 * A service with one log, which the client under test reaches over a network that fails as the test says.
 *
 * @param skewMs how much its clock is ahead of the clock of the client
 */
export function createModelService(clock: ModelClock, skewMs = 0) {
  const now = () => clock.now() + skewMs;
  const log: Kept[] = [];
  const trimmed = new Map<string, number>();
  const sessions = new Set<Session>();
  const tokens: Token[] = [];
  const credentials = new Map<string, { token: Token; expiresAt: number }>();
  const refusals: Partial<Record<'events' | 'publish' | 'read' | 'messages', Refusal[]>> = {};
  let sequence = 0;
  let lastTrimmed = 0;
  let isDown = false;
  let isBlackHole = false;
  let lagMs = 0;
  const onTheWay: { readonly at: number; arrive(): void }[] = [];
  let fault: { kind: Fault; after: number } | undefined;

  function closeWith(session: Session, code: number, reason: string): void {
    if (!sessions.delete(session)) return;
    session.socket.readyState = 3;
    session.socket.onclose?.({ code, reason });
  }

  /** Carries a message over the network, which keeps the order. */
  function carry(arrive: () => void): void {
    if (lagMs === 0 && onTheWay.length === 0) void Promise.resolve().then(arrive);
    else onTheWay.push({ at: Math.max(clock.now() + lagMs, onTheWay.at(-1)?.at ?? 0), arrive });
  }

  /** Returns whether the message passes the network. */
  function passes(session: Session): boolean {
    if (session.isSilent) return false;
    if (!fault || fault.after-- > 0) return true;
    const { kind } = fault;
    fault = undefined;
    if (kind === 'swallow') session.isSilent = true;
    else if (kind === 'cut') closeWith(session, 1006, '');
    else closeWith(session, kind.code, kind.text);
    return false;
  }

  function send(session: Session, message: object): void {
    session.lastSent = clock.now();
    carry(() => {
      if (!sessions.has(session) || !passes(session)) return;
      session.socket.onmessage?.({ data: JSON.stringify(message) });
    });
  }

  const messageOf = ({ sequence: at, channel, text, key }: Kept) => ({
    ...{ id: `msg_${at}`, cursor: String(at), channel, event: 'message', data: { text } },
    publishedAt: new Date(0).toISOString(),
    sender: { kind: 'TOKEN', token: null, identity: key === null ? 'bob' : 'ada', connectionData: null },
    ordinal: at,
    idempotencyKey: DOCUMENTS.events.includes('idempotencyKey') ? key : null,
  });
  const channelOf = (id: string) => ({ id, type: 'PRIVATE', state: null, version: 0 });

  function deliver(session: Session, kept: Kept): void {
    if (INBOX_CHANNELS.includes(kept.channel))
      for (const id of session.inboxes)
        next(session, id, { events: { __typename: 'ChannelMessage', message: messageOf(kept) } });
    for (const [id, channel] of session.channels)
      if (channel === kept.channel) next(session, id, { messages: messageOf(kept) });
  }

  const next = (session: Session, id: string, data: object) =>
    send(session, { type: 'next', id, payload: { data } });
  function fail(session: Session, id: string, { code, retryable }: Refusal): void {
    send(session, { type: 'error', id, payload: [{ message: code, extensions: { code, retryable } }] });
  }

  function append(channel: string, text: string, key: string | null): Kept {
    const known = key === null ? undefined : log.find((entry) => entry.key === key);
    if (known) return known;
    const kept = { sequence: ++sequence, channel, text, key };
    log.push(kept);
    for (const session of sessions) deliver(session, kept);
    return kept;
  }

  const retained = (channel: string) =>
    log.filter((kept) => kept.channel === channel && kept.sequence > (trimmed.get(channel) ?? 0));

  function startInbox(session: Session, id: string, since: number | undefined): void {
    session.inboxes.add(id);
    next(session, id, {
      events: {
        __typename: 'Connected',
        at: new Date(now()).toISOString(),
        connection: { id: `conn_${id}` },
        token: { id: session.token!.id, identity: 'ada' },
        cursor: String(since ?? sequence),
        channels: INBOX_CHANNELS.map(channelOf),
      },
    });
    if (since === undefined) return;
    const lost = INBOX_CHANNELS.filter((channel) => (trimmed.get(channel) ?? 0) > since);
    if (lost.length > 0)
      next(session, id, {
        events: {
          __typename: 'Gap',
          reason: 'RETENTION',
          directMessages: false,
          channels: lost.map((lostId) => ({ id: lostId })),
        },
      });
    for (const kept of log)
      if (
        kept.sequence > since &&
        INBOX_CHANNELS.includes(kept.channel) &&
        kept.sequence > (trimmed.get(kept.channel) ?? 0)
      )
        next(session, id, { events: { __typename: 'ChannelMessage', message: messageOf(kept) } });
  }

  function startMessages(session: Session, id: string, channel: string, since: number | undefined): void {
    if (since !== undefined && (trimmed.get(channel) ?? 0) > since)
      return fail(session, id, { code: 'POSITION_LOST', retryable: false });
    session.channels.set(id, channel);
    if (since === undefined) return;
    for (const kept of retained(channel))
      if (kept.sequence > since) next(session, id, { messages: messageOf(kept) });
  }

  function pageOf(channel: string, { last, before, first, after }: Record<string, any>) {
    const all = retained(channel).filter(
      ({ sequence: at }) => at < Number(before ?? Infinity) && at > Number(after ?? 0),
    );
    const nodes = last === undefined ? all.slice(0, first) : all.slice(-last);
    return {
      nodes: nodes.map(messageOf),
      pageInfo: {
        startCursor: nodes[0] ? String(nodes[0].sequence) : null,
        // As the service does for an empty page: the head of the log, so that a subscription may begin there.
        endCursor: String(nodes.at(-1)?.sequence ?? sequence),
        hasPreviousPage: last !== undefined && nodes.length < all.length,
        hasNextPage: last === undefined && nodes.length < all.length,
      },
    };
  }

  function execute(session: Session, id: string, query: string, variables: Record<string, any>): void {
    const kind =
      query === DOCUMENTS.events
        ? 'events'
        : query === DOCUMENTS.publish
          ? 'publish'
          : query === DOCUMENTS.messages
            ? 'messages'
            : query === DOCUMENTS.page
              ? 'read'
              : undefined;
    const refusal = kind && refusals[kind]?.shift();
    if (refusal) return fail(session, id, refusal);
    const since = variables['since'] === undefined ? undefined : Number(variables['since']);
    const answer = (data: object) => {
      next(session, id, data);
      send(session, { type: 'complete', id });
    };
    switch (query) {
      case DOCUMENTS.events:
        return startInbox(session, id, since);
      case DOCUMENTS.messages:
        return startMessages(session, id, variables['channel'], since);
      case DOCUMENTS.presence:
      case DOCUMENTS.channelState:
        return;
      case DOCUMENTS.page:
        return answer({ channel: { messages: pageOf(variables['channel'], variables) } });
      case DOCUMENTS.members:
        return answer({
          channel: {
            presence: { members: { nodes: [], pageInfo: { endCursor: null, hasNextPage: false } } },
          },
        });
      case DOCUMENTS.publish: {
        const { channel, data, ephemeral, idempotencyKey } = variables;
        if (ephemeral)
          return answer({
            publishMessage: { message: messageOf({ sequence: 0, channel, text: '', key: null }) },
          });
        return answer({ publishMessage: { message: messageOf(append(channel, data.text, idempotencyKey)) } });
      }
      default:
        if (!query.includes('reauthenticate')) return answer({});
        return reauthenticate(session, id, variables['credential'], answer);
    }
  }

  function reauthenticate(
    session: Session,
    id: string,
    credential: string,
    answer: (data: object) => void,
  ): void {
    const found = credentials.get(credential);
    if (found?.token !== session.token || found?.token.isRevoked !== false)
      return fail(session, id, { code: 'UNAUTHENTICATED', retryable: false });
    session.expiresAt = found.expiresAt;
    session.hasWarned = false;
    answer({ reauthenticate: { token: { expiresAt: new Date(found.expiresAt).toISOString() } } });
  }

  function receive(session: Session, { type, id, payload }: any): void {
    if (type === 'connection_init') {
      const found = credentials.get(payload.token);
      if (!found) return closeWith(session, 4401, 'The credential is not valid.');
      if (found.token.isRevoked) return closeWith(session, 4403, 'The token was revoked.');
      if (found.expiresAt <= now()) return closeWith(session, 4403, 'The token has expired.');
      Object.assign(session, { token: found.token, expiresAt: found.expiresAt });
      const expiresAt = new Date(found.expiresAt).toISOString();
      send(session, {
        type: 'connection_ack',
        payload: { pingIntervalMs: PING_INTERVAL_MS, expiresAt, cursor: String(sequence) },
      });
    } else if (type === 'ping') send(session, { type: 'pong' });
    else if (type === 'subscribe') execute(session, id, payload.query, payload.variables);
    else if (type === 'complete') {
      session.inboxes.delete(id);
      session.channels.delete(id);
    }
  }

  class ModelSocket implements Socket {
    readyState = 0;
    onopen: Socket['onopen'] = null;
    onmessage: Socket['onmessage'] = null;
    onclose: Socket['onclose'] = null;
    onerror: Socket['onerror'] = null;
    readonly #session: Session = {
      socket: this,
      isSilent: isBlackHole,
      expiresAt: Infinity,
      hasWarned: false,
      lastSent: clock.now(),
      inboxes: new Set(),
      channels: new Map(),
    };

    constructor() {
      const session = this.#session;
      sessions.add(session);
      carry(() => {
        if (!sessions.has(session) || session.isSilent) return;
        if (isDown) return closeWith(session, 1006, '');
        this.readyState = 1;
        this.onopen?.();
      });
    }

    send(text: string): void {
      const session = this.#session;
      carry(() => {
        if (sessions.has(session) && passes(session)) receive(session, JSON.parse(text));
      });
    }

    close(): void {
      this.readyState = 3;
      sessions.delete(this.#session);
    }
  }

  return {
    log,
    webSocket: ModelSocket,
    /** Connections that neither side has closed. */
    get connections() {
      return sessions.size;
    },
    get lastTrimmed() {
      return lastTrimmed;
    },
    createCredential(lifetimeMs: number): string {
      if (tokens.at(-1)?.isRevoked !== false) tokens.push({ id: `token_${tokens.length}`, isRevoked: false });
      const credential = `credential.${credentials.size}`;
      credentials.set(credential, { token: tokens.at(-1)!, expiresAt: now() + lifetimeMs });
      return credential;
    },
    publish: (channel: string, text: string) => void append(channel, text, null),
    refuse: (kind: keyof typeof refusals, refusal: Refusal) => void (refusals[kind] ??= []).push(refusal),
    fail: (kind: Fault, after: number) => void (fault = { kind, after }),
    setDown(is: boolean) {
      isDown = is;
      if (is) for (const session of [...sessions]) closeWith(session, 1006, '');
    },
    setBlackHole(is: boolean) {
      isBlackHole = is;
      if (is) for (const session of sessions) session.isSilent = true;
    },
    /** The time that a message takes from now on. */
    setLag: (ms: number) => void (lagMs = ms),
    /** The log forgets everything up to now. */
    trim() {
      lastTrimmed = sequence;
      for (const channel of [...INBOX_CHANNELS, SIDE_CHANNEL]) {
        const last = retained(channel).at(-1);
        if (last) trimmed.set(channel, last.sequence);
      }
    },
    revoke() {
      const token = tokens.at(-1);
      if (!token) return;
      token.isRevoked = true;
      for (const session of [...sessions])
        if (session.token === token && !session.isSilent) closeWith(session, 4403, 'The token was revoked.');
    },
    heal() {
      isDown = isBlackHole = false;
      fault = undefined;
      lagMs = 0;
      for (const kind of Object.values(refusals)) kind.length = 0;
    },
    /** Pings, warnings and expiries. */
    scheduledTasks: {
      nextAt: () =>
        Math.min(
          onTheWay[0]?.at ?? Infinity,
          ...[...sessions]
            .filter(({ isSilent, token }) => !isSilent && token)
            .map(({ lastSent, expiresAt }) => Math.min(lastSent + PING_INTERVAL_MS, expiresAt - skewMs)),
        ),
      run() {
        if (onTheWay[0] && onTheWay[0].at <= clock.now()) onTheWay.shift()?.arrive();
        for (const session of [...sessions]) {
          if (session.isSilent || !session.token) continue;
          if (session.expiresAt <= now()) closeWith(session, 4403, 'The token has expired.');
          else if (session.lastSent + PING_INTERVAL_MS <= clock.now()) send(session, { type: 'ping' });
          if (session.hasWarned || session.expiresAt - now() > 180_000) continue;
          session.hasWarned = true;
          for (const id of session.inboxes)
            next(session, id, {
              events: {
                __typename: 'TokenExpiring',
                at: new Date(now()).toISOString(),
                expiresAt: new Date(session.expiresAt).toISOString(),
              },
            });
        }
      },
    },
  };
}

export type ModelService = ReturnType<typeof createModelService>;
