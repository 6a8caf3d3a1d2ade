import { messageOf } from '../errors.ts';
import { lockOf, pipeOf, type Announcement } from './announcement.ts';
import { type TabsEnvironment } from './environment.ts';
import { createLeader, type Role } from './leader.ts';
import { type Closing, type Port, type SocketLike } from './multiplexer.ts';

export interface MemberOptions {
  /** The name of the tabs that share. */
  readonly group: string;
  readonly environment: TabsEnvironment;
  readonly port: Port;
  /** A random text that no other member has. */
  readonly id: string;
  /** Opens the WebSocket of a leader. */
  open(): SocketLike;
}

/** A leader answers at once, unless its tab hangs: after this time another tab takes its place. */
const ANSWER_TIMEOUT_MS = 3_000;
/** How long a follower whose leader is gone waits for the reason, which may still be on its way. */
const REASON_TIMEOUT_MS = 200;
const LEADER_IS_GONE = 'The tab that held the connection is gone.';
const TAKEN_OVER = 'Another tab has taken the connection over.';

/**
 * Joins the tabs of a group, for one connection. The member that holds the lock of the group leads: it has the WebSocket.
 * The others follow and queue for the lock, so that the browser grants the lock to the next one when the leader ends, also by a crash.
 * Then all leave, and join again as their clients reconnect. Each member also holds a lock of its own, by which the leader
 * notices that a follower is gone.
 */
export function joinGroup({ group, environment, port, id, open }: MemberOptions): Role {
  const { locks, AbortController, BroadcastChannel } = environment;
  const channel = new BroadcastChannel(group);
  const requests = new AbortController();
  let queued = new AbortController();
  let release: () => void = () => undefined;
  const whileMember = new Promise<void>((resolve) => (release = resolve));
  let role: Role | undefined;
  let leader: string | undefined;
  let early: string[] = [];
  let timer: unknown;
  let isOver = false;

  function setTimer(action: () => void, ms: number): void {
    environment.clearTimeout(timer);
    timer = environment.setTimeout(action, ms);
  }

  function leave(code: number, reason: string): void {
    if (isOver) return;
    isOver = true;
    environment.clearTimeout(timer);
    stopFreeze();
    role?.close();
    channel.close();
    requests.abort();
    queued.abort();
    release();
    port.close(code, reason);
  }

  function take(next: Role): void {
    environment.clearTimeout(timer);
    role = next;
    const texts = early;
    early = [];
    for (const text of texts) next.send(text);
  }

  function seekLeader(): void {
    const attach: Announcement = { type: 'attach', member: id };
    channel.postMessage(attach);
    setTimer(stealLock, ANSWER_TIMEOUT_MS);
  }

  function requestLock(options: { readonly signal?: unknown; readonly steal?: boolean }): void {
    const mine = queued;
    locks.request(group, options, onLock).catch(() => {
      // Either another member has stolen the lock, or this one has replaced its own request.
      if (mine === queued) leave(1006, TAKEN_OVER);
    });
  }

  function stealLock(): void {
    const old = queued;
    queued = new AbortController();
    old.abort();
    requestLock({ steal: true });
  }

  function onLock(): Promise<void> | undefined {
    if (isOver) return undefined;
    if (!role) {
      lead();
      return whileMember;
    }
    // The lock is given back at once, so that the other followers learn at the same time that the leader is gone.
    setTimer(() => leave(1006, LEADER_IS_GONE), REASON_TIMEOUT_MS);
    return undefined;
  }

  function lead(): void {
    let socket: SocketLike;
    try {
      socket = open();
    } catch (thrown) {
      return leave(4400, messageOf(thrown));
    }
    const own: Port = { deliver: port.deliver, close: leave };
    const { signal } = requests;
    take(createLeader({ group, id, environment, channel, signal, socket, own, farewell: LEADER_IS_GONE }));
  }

  function follow(chosen: string): void {
    leader = chosen;
    const pipe = new BroadcastChannel(pipeOf(group, chosen, id));
    pipe.onmessage = ({ data }) => {
      if (isOver) return;
      if (typeof data === 'string') return port.deliver(data);
      const { code, reason } = data as Closing;
      leave(code, reason);
    };
    take({ send: (text) => pipe.postMessage(text), close: () => pipe.close() });
  }

  channel.onmessage = ({ data }) => {
    const announcement = data as Announcement;
    if (announcement.type === 'here' && announcement.member === id && !role) follow(announcement.leader);
    if (announcement.type !== 'lead') return;
    if (!role) seekLeader();
    else if (announcement.leader !== leader) leave(1006, LEADER_IS_GONE);
  };
  // Chromium goes on to deliver what tabs send to a frozen one, but not what its WebSocket receives.
  const stopFreeze = environment.onFreeze(() => leave(1006, 'The tab is frozen.'));
  locks
    .request(lockOf(group, id), { signal: requests.signal }, () => {
      if (isOver) return undefined;
      requestLock({ signal: queued.signal });
      seekLeader();
      return whileMember;
    })
    .catch(() => undefined);

  return {
    send(text) {
      if (role) role.send(text);
      else early.push(text);
    },
    close: () => leave(1000, 'The client closed the connection.'),
  };
}
