import { Multimap } from '../multimap.ts';
import { type NotifySession, type OpenNotifySession } from '../store/notify-session.ts';
import { MAX_PAYLOAD_BYTES, type Wire, type WireCounts, type WireHandler } from './wire.ts';
import { PacketAssembler, toNotifications, type Packet } from './wire-chunks.ts';

const CHANNEL = 'signalbox';
/** Payloads of one transaction if there are several, and those that may wait for it, in bytes. */
const MAX_PARCEL_BYTES = 1024 * 1024;
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
/** Without a connection, payloads wait this long and are then dropped, in milliseconds. */
const MAX_WAIT_MS = 5000;
/** A notification of this node that has not come back by then means that the connection that listens is dead. */
const RETURN_TIMEOUT_MS = 1000;
/** Time between two checks of the connection that listens. They are no notifications, which would write to the disk. */
const CHECK_INTERVAL_MS = 2000;
const RECONNECT_MS = 250;
/** Nodes whose newest packet is remembered. */
const MAX_NODES = 1000;

export interface NotifyWireOptions {
  open: OpenNotifySession;
  nodeId: string;
  /** Receives what a handler throws. */
  onFault: (error: unknown) => void;
}

/**
 * See Wire. Implements it with LISTEN and NOTIFY of PostgreSQL: one connection listens, and another one sends one
 * transaction at a time. A transaction that only notifies waits for no disk. Resolves when it listens.
 * @throws UNAVAILABLE when the database cannot be reached
 */
export async function createNotifyWire({ open, nodeId, onFault }: NotifyWireOptions): Promise<Wire> {
  const handlers = new Multimap<WireHandler>();
  const gapListeners = new Set<() => void>();
  const counts: WireCounts = { sent: 0, received: 0, dropped: 0, lost: 0, ignored: 0 };
  let disposed = false;
  const isDisposed = () => disposed;

  function callSafely(work: () => void): void {
    try {
      work();
    } catch (error) {
      onFault(error);
    }
  }

  function reportLoss(): void {
    counts.lost++;
    for (const listener of gapListeners) callSafely(listener);
  }

  // -- Receiving

  const assembler = new PacketAssembler();
  /** The newest packet of each node. A packet that was sent again is recognized by its number. */
  const newest = new Map<string, number>();
  let newestOwn = 0;
  let listening: NotifySession | undefined;

  function onNotification(notification: string): void {
    const packet = assembler.add(notification);
    if (packet === 'unknown') counts.ignored++;
    else if (packet !== 'unfinished') receive(packet);
  }

  function receive({ nodeId: from, number, text }: Packet): void {
    if (from === nodeId) {
      newestOwn = Math.max(newestOwn, number);
      return;
    }
    const known = newest.get(from);
    if (known !== undefined && number <= known) return;
    newest.delete(from);
    newest.set(from, number);
    if (newest.size > MAX_NODES) newest.delete(newest.keys().next().value ?? '');
    for (const [kind, payload] of parsePayloads(text)) {
      const receivers = handlers.of(kind);
      if (receivers.length === 0) counts.ignored++;
      else counts.received++;
      for (const handler of receivers) callSafely(() => handler(payload, from));
    }
    if (known !== undefined && number > known + 1) reportLoss();
  }

  function parsePayloads(text: string): [kind: string, payload: unknown][] {
    try {
      const payloads: unknown = JSON.parse(text);
      if (Array.isArray(payloads) && payloads.every(isPayload)) return payloads;
    } catch {
      // Counted below.
    }
    counts.ignored++;
    return [];
  }

  async function startListening(): Promise<NotifySession> {
    const session = await open(onNotification);
    try {
      await session.run(`LISTEN ${CHANNEL}`);
    } catch (error) {
      session.destroy();
      throw error;
    }
    listening = session;
    void session.ended.then(listenAgain);
    return session;
  }

  async function listenAgain(): Promise<void> {
    listening = undefined;
    assembler.reset();
    while (!isDisposed()) {
      await delay(RECONNECT_MS);
      if (isDisposed()) return;
      try {
        const session = await startListening();
        if (isDisposed()) session.destroy();
        // Payloads that were sent before LISTEN are not received.
        return reportLoss();
      } catch {
        // The database cannot be reached: the next attempt follows.
      }
    }
  }

  const checks = setInterval(() => {
    const session = listening;
    session?.run('SELECT 1').catch(() => session.destroy());
  }, CHECK_INTERVAL_MS).unref();

  function expectReturn(number: number): void {
    if (newestOwn >= number) return;
    const session = listening;
    setTimeout(() => {
      // After a pause of the process, timers run before the sockets are read, and setImmediate after that.
      setImmediate(() => {
        if (newestOwn < number && session === listening) session?.destroy();
      });
    }, RETURN_TIMEOUT_MS).unref();
  }

  // -- Sending

  let waiting: string[] = [];
  let waitingBytes = 0;
  let packets = 0;
  let sending: NotifySession | undefined;
  let running: Promise<void> | undefined;

  function takePacket(): Packet & { payloads: number } {
    let bytes = 0;
    let count = 0;
    for (const payload of waiting) {
      bytes += Buffer.byteLength(payload);
      if (count > 0 && bytes > MAX_PARCEL_BYTES) break;
      count++;
    }
    const taken = waiting.splice(0, count);
    waitingBytes -= taken.reduce((sum, payload) => sum + Buffer.byteLength(payload), 0);
    return { nodeId, number: ++packets, text: `[${taken.join()}]`, payloads: count };
  }

  async function sendWaiting(): Promise<void> {
    while (waiting.length > 0 && !isDisposed()) {
      const packet = takePacket();
      if (await sendPacket(packet)) continue;
      counts.dropped += packet.payloads + waiting.length;
      waiting = [];
      waitingBytes = 0;
    }
    running = undefined;
  }

  /** Repeats a packet until it is sent: receivers recognize a repeated number. Resolves to whether it was sent in time. */
  async function sendPacket(packet: Packet): Promise<boolean> {
    const notifications = toNotifications(packet);
    const deadline = performance.now() + MAX_WAIT_MS;
    while (!isDisposed() && performance.now() < deadline) {
      try {
        sending ??= await openSender();
        await sending.run(`SELECT pg_notify('${CHANNEL}', part) FROM unnest($1::text[]) AS part`, [
          notifications,
        ]);
        counts.sent++;
        expectReturn(packet.number);
        return true;
      } catch {
        sending?.destroy();
        sending = undefined;
        await delay(RECONNECT_MS);
      }
    }
    return false;
  }

  async function openSender(): Promise<NotifySession> {
    const session = await open();
    void session.ended.then(() => {
      if (sending === session) sending = undefined;
    });
    if (isDisposed()) session.destroy();
    return session;
  }

  await startListening();
  sending = await openSender().catch((error: unknown) => {
    disposed = true;
    listening?.destroy();
    clearInterval(checks);
    throw error;
  });

  return {
    send(kind, payload) {
      const text = JSON.stringify([kind, payload]);
      const bytes = Buffer.byteLength(text);
      if (isDisposed() || bytes > MAX_PAYLOAD_BYTES || waitingBytes + bytes > MAX_WAITING_BYTES) {
        counts.dropped++;
        return;
      }
      waiting.push(text);
      waitingBytes += bytes;
      // In a microtask, so that all payloads of this moment share a transaction.
      running ??= Promise.resolve().then(sendWaiting);
    },
    listen(kind, handler) {
      handlers.add(kind, handler);
      return { [Symbol.dispose]: () => void handlers.delete(kind, handler) };
    },
    onGap(listener) {
      gapListeners.add(listener);
      return { [Symbol.dispose]: () => void gapListeners.delete(listener) };
    },
    get isReceiving() {
      return listening !== undefined;
    },
    counts,
    async [Symbol.asyncDispose]() {
      await Promise.race([running, delay(RETURN_TIMEOUT_MS)]);
      disposed = true;
      clearInterval(checks);
      const sessions = [listening, sending].filter((session) => session !== undefined);
      for (const session of sessions) session.destroy();
      await Promise.all(sessions.map(({ ended }) => ended));
    },
  };
}

const isPayload = (value: unknown): value is [string, unknown] =>
  Array.isArray(value) && value.length === 2 && typeof value[0] === 'string';

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
