import { type CredentialReason, type CredentialSource } from '../credential/credential.ts';
import { abortable } from '../abort.ts';
import { createEmitter } from '../emitter.ts';
import { messageOf, offline, SignalboxError, SignedOut } from '../errors.ts';
import { type AbortSignalLike, type PageSignal, type Runtime, type WebSocketClass } from '../runtime.ts';
import { backoff } from './backoff.ts';
import { meaningOfClose, type EndReason } from './close-reason.ts';
import { openSocket, type Socket } from './socket.ts';
import { sentenceOf, type Status } from './status.ts';
import { nextState, type ConnectionEvent } from './transitions.ts';

/** The connection of a client: one socket after another, with one credential after another. */
export interface Connection {
  readonly status: Status;
  onStatus(listener: (status: Status) => void): () => void;
  /** Connects unless it is connected or on the way. */
  connect(): void;
  /**
   * Asks for a new credential and presents it on the live socket. Does nothing while another renewal is under way.
   *
   * @param expiring the announcement of the service. A token that was obtained just now and is short-lived is renewed after
   *   half of its time instead of at once.
   */
  renew(expiring?: { readonly at: string; readonly expiresAt: string }): void;
  /** The time of the service, as far as the client knows it. Milliseconds since 1970. */
  serverNow(): number;
  /** The service works. Takes its time, as an RFC 3339 text: the clock of a device may be wrong by hours. */
  synchronize(at: string): void;
  /** Why the client ended: undefined unless it did. */
  endError(): SignalboxError | undefined;
  /**
   * Resolves to the live socket, once there is one. Rejects with ENDED when the client ends first, and with OFFLINE after
   * `timeoutMs`, or at once when too many wait.
   */
  whenLive(options?: WaitOptions): Promise<Socket>;
  /** The service refuses what the client cannot work without: reconnects, with backoff. */
  restart(error: SignalboxError): void;
  /** The live socket, if there is one. */
  readonly live: Socket | undefined;
  close(): void;
}

/** How long to wait for a connection. */
export interface WaitOptions {
  readonly signal?: AbortSignalLike | undefined;
  /** Default: as long as it takes. */
  readonly timeoutMs?: number | undefined;
}

export interface ConnectionOptions {
  readonly url: string;
  /** The WebSocket class. Default: the one of the environment. */
  readonly webSocket: WebSocketClass | undefined;
  readonly runtime: Runtime;
  readonly source: CredentialSource;
  readonly project: string | undefined;
  /** The `since` of `connection_init`, if operations of the application resume by it. */
  since(): string | undefined;
  /** The cursor that came with a credential. */
  onCursor(cursor: string | null | undefined): void;
  /** A socket is live. */
  onLive(socket: Socket): void;
  /** The socket is gone, or the client ended. */
  onDown(): void;
}

const REAUTHENTICATE =
  'mutation($credential:String!){reauthenticate(credential:$credential){token{expiresAt}}}';
/** The service announces the expiry three minutes earlier; a client that was not told renews this much earlier. */
const RENEW_BEFORE_MS = 5_000;
/** A credential function that returns the same credential again is not called at full speed until it expires. */
const RENEW_AFTER_MS = 500;

/** Calls that wait for a connection, before further ones are refused. */
const MAX_WAITERS = 1_000;

const timeOf = (text: string | null | undefined) => (text ? Date.parse(text) : undefined);

/** `key_<id>.<secret>`; a credential is a JWT, which begins with `ey`. */
const isApiKey = (credential: string | undefined) => credential?.startsWith('key_');

/** Creates a connection in the state `idle`. No timer or listener exists before `connect` and after the end. */
export function createConnection(options: ConnectionOptions): Connection {
  const { runtime, source } = options;
  const statuses = createEmitter<[Status]>();
  let status: Status = { state: 'idle', message: sentenceOf('idle') };
  let socket: Socket | undefined;
  /** The socket, once it is acknowledged. */
  let live: Socket | undefined;
  let credential: string | undefined;
  let hasCredential = false;
  let expiresAt: number | undefined;
  let obtainedAt = 0;
  let clockAheadMs = 0;
  let reason: CredentialReason = 'start';
  let failures = 0;
  let attempt = 0;
  /** The renewal that is under way. */
  let renewal: object | undefined;
  let retryTimer: unknown;
  let renewTimer: unknown;
  let stopSignals: (() => void) | undefined;
  const waiters = new Set<{ resolve(socket: Socket): void; reject(error: SignalboxError): void }>();

  /** Applies an event. Returns false when it has no effect in the current state. */
  function move(event: ConnectionEvent, details: Omit<Partial<Status>, 'state' | 'message'> = {}): boolean {
    const state = nextState(status.state, event);
    if (!state) return false;
    const next: Status = { state, message: sentenceOf(state, details.reason), ...details };
    status = next;
    if (state === 'ended') finish();
    statuses.emit(next);
    // A listener may have moved on, for example by `close()`.
    if (state === 'connecting' && status === next) void open();
    return true;
  }

  function finish(): void {
    dropSocket();
    stopSignals?.();
    stopSignals = undefined;
    hasCredential = false;
    reason = 'start';
    failures = 0;
    const error = endError();
    if (error) for (const waiter of [...waiters]) waiter.reject(error);
    options.onDown();
  }

  function dropSocket(): void {
    attempt++;
    renewal = undefined;
    runtime.clearTimer(retryTimer);
    runtime.clearTimer(renewTimer);
    source.stopWaiting();
    const old = socket;
    socket = live = undefined;
    old?.close();
  }

  async function open(): Promise<void> {
    stopSignals ??= runtime.onPageSignal(onSignal);
    dropSocket();
    const mine = attempt;
    const webSocket = options.webSocket ?? runtime.webSocket;
    try {
      if (!webSocket)
        throw new SignalboxError('BAD_USER_INPUT', 'There is no WebSocket here: pass the option webSocket.');
      if (!hasCredential || (source.canChange && hasExpired())) {
        const obtained = await source.fetch(reason);
        if (mine !== attempt) return;
        ({ credential } = obtained);
        hasCredential = true;
        obtainedAt = runtime.now();
        options.onCursor(obtained.cursor);
      }
    } catch (thrown) {
      if (mine !== attempt) return;
      return onOpenFailed(thrown);
    }
    const { url, project } = options;
    // As JSON, it lacks what is undefined.
    const payload = {
      [isApiKey(credential) ? 'apiKey' : 'token']: credential,
      ...{ project, since: options.since() },
    };
    try {
      // A socket that was closed calls neither function.
      const opened = openSocket({
        ...{ url, webSocket, runtime, payload, onLost },
        onOpen: () => onOpen(opened),
      });
      socket = opened;
    } catch (thrown) {
      // A browser refuses some addresses at once, for example ws: from a page that came over https.
      onOpenFailed(new SignalboxError('BAD_USER_INPUT', messageOf(thrown)));
    }
  }

  const endError = () =>
    status.state === 'ended' ? (status.error ?? new SignalboxError('ENDED', status.message)) : undefined;
  const setClock = (at: string) => (clockAheadMs = runtime.now() - Date.parse(at));
  const serverNow = () => runtime.now() - clockAheadMs;
  const hasExpired = () => expiresAt !== undefined && expiresAt <= serverNow();

  function onOpenFailed(thrown: unknown): void {
    if (thrown instanceof SignalboxError && !thrown.retryable)
      move('refused', {
        reason: thrown.code === 'BAD_USER_INPUT' ? 'protocol' : 'unauthenticated',
        error: thrown,
      });
    else if (thrown instanceof SignedOut) move('refused', { reason: 'signedOut' });
    else interrupt('lost', new SignalboxError('UNAUTHENTICATED', messageOf(thrown), true));
  }

  function onOpen(opened: Socket): void {
    reason = 'expired';
    live = opened;
    if (!move('acknowledged')) return;
    expiresAt = timeOf(opened.acknowledgement.expiresAt);
    options.onLive(opened);
    for (const waiter of [...waiters]) waiter.resolve(opened);
  }

  function setRenewTimer(action: () => void, ms: number): void {
    runtime.clearTimer(renewTimer);
    renewTimer = runtime.setTimer(action, ms);
  }

  /** Renews shortly before the expiry in case that `TokenExpiring` does not come, for example for a very short token. */
  function expectExpiry(): void {
    if (!expiresAt || !source.canRenew || renewal) return;
    const rest = expiresAt - serverNow();
    setRenewTimer(renew, Math.max(rest - RENEW_BEFORE_MS, rest / 2, RENEW_AFTER_MS));
  }

  function onLost(code: number, text: string): void {
    const { reason: why, then, code: errorCode } = meaningOfClose(code, text);
    const error = new SignalboxError(errorCode, text || sentenceOf('waiting'), then !== 'end');
    // A credential that the service has just refused is not worth a second call when the first was for this attempt.
    const isFirst = reason !== 'expired' && !(reason === 'start' && source.mayBeStale);
    const canRenew = source.canChange && !(code === 4401 && isFirst);
    if (then === 'end' || (then === 'renew' && !canRenew))
      return void move('refused', { reason: why, error });
    if (then === 'renew') {
      hasCredential = false;
      reason = why === 'expired' ? 'expired' : 'revoked';
    }
    interrupt(why, error);
  }

  /** Waits, then reconnects. `delay` null: waits until the page is shown again. */
  function interrupt(
    why: EndReason,
    error?: SignalboxError,
    delay: number | null = backoff(runtime, failures),
  ) {
    dropSocket();
    const retryAt = delay === null ? null : runtime.now() + delay;
    if (!move('interrupted', { reason: why, retryAt, ...(error && { error }) })) return;
    // A listener may have moved on, for example by `connect()`.
    if (delay !== null && status.state === 'waiting') {
      failures++;
      retryTimer = runtime.setTimer(() => move('retry'), delay);
    }
    options.onDown();
  }

  function renew(expiring?: { readonly at: string; readonly expiresAt: string }): void {
    // The system clock may have been set since the connect.
    if (expiring) setClock(expiring.at);
    if (!source.canRenew || renewal || !socket) return;
    const rest = expiring ? Date.parse(expiring.expiresAt) - serverNow() : 0;
    if (expiring && rest > runtime.now() - obtainedAt) setRenewTimer(renew, rest / 2);
    else if (move('expiring')) void renewOn(socket, 0);
  }

  async function renewOn(live: Socket, failed: number): Promise<void> {
    const mine = (renewal = {});
    const again = () => void renewOn(live, failed + 1);
    try {
      const obtained = await source.fetch('expiring');
      if (mine !== renewal) return;
      const data = await live.execute(REAUTHENTICATE, { credential: obtained.credential });
      if (mine !== renewal) return;
      const { reauthenticate } = data as { reauthenticate: { token: { expiresAt: string | null } | null } };
      ({ credential } = obtained);
      obtainedAt = runtime.now();
      renewal = undefined;
      expiresAt = timeOf(reauthenticate.token?.expiresAt);
      runtime.clearTimer(renewTimer);
      move('renewed');
      expectExpiry();
    } catch (thrown) {
      if (mine !== renewal) return;
      if (thrown instanceof SignedOut) return void move('refused', { reason: 'signedOut' });
      // The old credential is still in force: try again until the service closes the socket with 4403.
      setRenewTimer(again, backoff(runtime, failed));
    }
  }

  function onSignal(signal: PageSignal): void {
    if (signal === 'hide') interrupt('closed', undefined, null);
    else if (status.state === 'waiting' && signal !== 'offline') {
      failures = 0;
      if (hasCredential && hasExpired()) reason = 'wake';
      move('retry');
    } else socket?.check();
  }

  return {
    get status() {
      return status;
    },
    get live() {
      return live;
    },
    onStatus: statuses.on,
    connect: () => void move('connect'),
    ...{ renew, serverNow, endError },
    restart: (error) => interrupt('protocol', error),
    synchronize(at) {
      // A service, or a proxy, that accepts connections and closes them at once is not called at full speed.
      failures = 0;
      setClock(at);
      expectExpiry();
    },
    whenLive: ({ signal, timeoutMs } = {}) =>
      abortable(signal, (resolve, reject) => {
        const waiter = { resolve, reject };
        const error = endError();
        let timer: unknown;
        if (live) resolve(live);
        else if (error) reject(error);
        else if (waiters.size >= MAX_WAITERS) reject(offline());
        else {
          waiters.add(waiter);
          if (timeoutMs !== undefined) timer = runtime.setTimer(() => reject(offline()), timeoutMs);
        }
        return () => {
          waiters.delete(waiter);
          runtime.clearTimer(timer);
        };
      }),
    close: () => void move('close', { reason: 'closed' }),
  };
}
