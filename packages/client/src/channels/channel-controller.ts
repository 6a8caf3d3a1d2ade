import { backoff } from '../connection/backoff.ts';
import { type Socket } from '../connection/socket.ts';
import { DOCUMENTS } from '../documents.ts';
import { createEmitter } from '../emitter.ts';
import { SignalboxError, toError } from '../errors.ts';
import { type ChannelInfo, type Member, type PresenceChange } from '../inbox/events.ts';
import { type Position } from '../inbox/position.ts';
import { type Message } from '../message.ts';
import { type Outbox } from '../outbox/outbox.ts';
import { type Runtime } from '../runtime.ts';
import { createMembers } from './members.ts';
import { type Registry } from './registry.ts';
import { subscribeToChannel } from './channel-subscriptions.ts';
import { createTimeline, type Page, type PageRange } from './timeline.ts';
import { createTyping, TYPING_EVENT } from './typing.ts';
import { createView, type View } from './view.ts';

/** The parts of a client that its channels use. */
export interface ChannelContext {
  readonly runtime: Runtime;
  readonly outbox: Outbox;
  /** The last cursor of the inbox: while `onReady` is called, that of the previous connection. */
  readonly position: Pick<Position, 'cursor'>;
  readonly channels: Pick<Registry<object>, 'keep' | 'release'>;
  /** The socket whose first event has come, with what the inbox delivers over it. */
  readonly ready: Socket | undefined;
  /** Why the client ended: undefined unless it did. */
  endError(): SignalboxError | undefined;
  /** Connects if nothing has connected yet. */
  connect(): void;
  /** Runs a query, again on the next socket when one is lost. */
  read(query: string, variables: object): Promise<unknown>;
  /** Queues a message; an ephemeral one is published at once, or rejects with OFFLINE. Rejects with ENDED when the client has ended. */
  publish(channel: string, event: string, data: unknown, isEphemeral?: boolean): Promise<Message>;
  /** Handles a message that did not come by the inbox. */
  deliver(message: Message): void;
  isOwn(message: Message): boolean;
  onGap(channel: string, reason: string): void;
}

/** One channel: what it shows, and how it stays up to date. The client tells it what the inbox delivers. */
export interface ChannelController {
  readonly id: string;
  readonly messages: ReturnType<typeof createEmitter<[Message]>>;
  readonly ended: ReturnType<typeof createEmitter<[SignalboxError]>>;
  readonly typing: ReturnType<typeof createTyping>;
  readonly view: View;
  /** Keeps the channel subscribed until the returned function is called. */
  hold(): () => void;
  /** The same, and keeps everything that is shown up to date. */
  show(limit: number): () => void;
  loadOlder(limit: number): Promise<void>;
  readPage(range: PageRange): Promise<Page>;
  /** A socket is ready: `info` unless the inbox does not deliver the channel. */
  onReady(info: ChannelInfo | undefined): void;
  onAvailable(info: ChannelInfo): void;
  onUnavailable(reason: string): void;
  onInfo(info: ChannelInfo): void;
  /** The rights of the token have changed: what was refused may be allowed now. */
  onAllowed(): void;
  onPresence(change: PresenceChange): void;
  onMessage(message: Message): void;
  onPublished(message: Message, key: string): void;
  onGap(reason: string): void;
  onDown(): void;
  end(error: SignalboxError): void;
}

/** A page that remounts its components subscribes again at once, so a channel is given up only after this time. */
const LINGER_MS = 1_000;

/** Creates a channel that nothing uses yet. */
export function createChannelController(id: string, context: ChannelContext): ChannelController {
  const { runtime, outbox } = context;
  const messages = createEmitter<[Message]>();
  const ended = createEmitter<[SignalboxError]>();
  const timeline = createTimeline();
  const members = createMembers();
  const publishTyping = (isTyping: boolean) => {
    if (!context.ready) return false;
    context.publish(id, TYPING_EVENT, isTyping, true).catch(() => undefined);
    return true;
  };
  const typing = createTyping(runtime, publishTyping, () => view.change());
  const view = createView({ id, outbox, timeline, members, typing, isOwn: context.isOwn });
  let holders = 0;
  let viewers = 0;
  let pageSize = 50;
  let inInbox = false;
  let isShut = false;
  /** The last cursor of the channel, by the inbox or by its own subscription, which continues there. Undefined: at the newest page. */
  let lastCursor: string | null | undefined;
  /** Why messages were lost, as long as the application is not told. */
  let gap: string | undefined;
  let stopSubscriptions: (() => void) | undefined;
  let isSubscribed = false;
  let load: object | undefined;
  /** The snapshot of the members that is shown or being loaded, unless it is stale. */
  let snapshot: object | undefined;
  let lingering: unknown;
  let retryTimer: unknown;
  let failures = 0;
  /** Whether something that is shown was refused. */
  let isRefused = false;

  const readPage = (range: PageRange) => pageOf(context.read(DOCUMENTS.page, { channel: id, ...range }));
  const readNewest = (socket: Socket, last: number) =>
    pageOf(socket.execute(DOCUMENTS.page, { channel: id, last }));

  /** Brings the subscriptions and what is shown up to date with the socket, its inbox and the users of the channel. */
  function sync(): void {
    const socket = context.ready;
    if (!socket || holders === 0 || isShut) return;
    if (inInbox && stopSubscriptions) unsubscribe();
    if (!inInbox && !stopSubscriptions) void subscribe(socket);
    if (viewers === 0 || !(inInbox || isSubscribed)) return;
    const missing = pageSize - timeline.messages.length;
    if (!timeline.isLoaded) void loadNewest(socket);
    else if (missing > 0) loadOlder(missing).catch(() => undefined);
    if (!snapshot) void loadMembers(socket);
  }

  /** The service has no capacity at the moment: asks again, with backoff. */
  function retryLater(): void {
    runtime.clearTimer(retryTimer);
    retryTimer = runtime.setTimer(sync, backoff(runtime, failures++));
  }

  async function subscribe(socket: Socket): Promise<void> {
    let stop: () => void = () => undefined;
    const mine = (stopSubscriptions = () => stop());
    try {
      if (lastCursor === undefined) {
        const isShown = viewers > 0;
        timeline.beginLoading();
        const page = await readNewest(socket, isShown ? pageSize : 1);
        if (mine !== stopSubscriptions) return;
        lastCursor = page.pageInfo.endCursor;
        tellGap();
        if (isShown) timeline.finishLoading(page);
      }
    } catch (thrown) {
      if (mine === stopSubscriptions) onSubscriptionError(toError(thrown));
      return;
    }
    view.fail(undefined);
    isSubscribed = true;
    stop = subscribeToChannel(socket, id, lastCursor ?? undefined, {
      messages: context.deliver,
      presence: onPresence,
      channelState: view.inform,
      onError(error, name) {
        // A caller who may not see the presence or the state still receives the messages.
        if (name === 'messages' || error.retryable) onSubscriptionError(error);
        else isRefused = true;
      },
    });
    sync();
  }

  function onSubscriptionError(error: SignalboxError): void {
    if (error.code === 'CONNECTION_LOST') return;
    unsubscribe();
    if (error.code === 'POSITION_LOST') onGap(error.code);
    else {
      view.fail(error);
      if (error.retryable) retryLater();
      else {
        isRefused = true;
        tellGap();
      }
    }
  }

  function unsubscribe(): void {
    stopSubscriptions?.();
    stopSubscriptions = snapshot = undefined;
    isSubscribed = isRefused = false;
  }

  async function loadNewest(socket: Socket): Promise<void> {
    if (load) return;
    const mine = (load = {});
    timeline.beginLoading();
    view.change({ isLoading: true });
    let error: SignalboxError | undefined;
    try {
      const page = await readNewest(socket, pageSize);
      if (mine !== load) return;
      timeline.finishLoading(page);
      failures = 0;
    } catch (thrown) {
      if (mine !== load) return;
      error = toError(thrown);
    }
    load = undefined;
    view.change({ isLoading: false, error });
    // A component may have asked for more messages meanwhile.
    if (!error) sync();
    else if (error.retryable) retryLater();
    else isRefused = true;
  }

  /** A snapshot of who is present: after each connect, and when the channel is shown. */
  async function loadMembers(socket: Socket): Promise<void> {
    const mine = (snapshot = {});
    members.beginSnapshot();
    const connections: Member[] = [];
    try {
      for (let after: string | undefined; ;) {
        const data = await socket.execute(DOCUMENTS.members, { channel: id, after });
        const { channel } = data as { channel: { presence: { members: MemberPage } } | null };
        if (mine !== snapshot || !channel) return;
        const { nodes, pageInfo } = channel.presence.members;
        connections.push(...nodes);
        if (!pageInfo.hasNextPage) break;
        after = pageInfo.endCursor ?? undefined;
      }
      members.finishSnapshot(connections);
      view.change();
    } catch (thrown) {
      if (mine !== snapshot) return;
      // A caller without the right to see the presence sees no members.
      if (!toError(thrown).retryable) return void (isRefused = true);
      snapshot = undefined;
      retryLater();
    }
  }

  function onPresence(change: PresenceChange): void {
    members.apply(change);
    view.change();
  }

  function onGap(reason: string): void {
    // The head of the log at the connect: what was published since is replayed. If that is lost, too, the page decides.
    const head = context.ready?.acknowledgement.cursor;
    lastCursor = head === lastCursor ? undefined : head;
    forget();
    view.onGap();
    gap = reason;
    // Where the page decides, what is published before it is read would be missed after the application was told.
    if (inInbox || lastCursor !== undefined) tellGap();
    sync();
  }

  function tellGap(): void {
    if (gap === undefined) return;
    context.onGap(id, gap);
    gap = undefined;
    ended.emit(new SignalboxError('POSITION_LOST', 'Messages are no longer kept.'));
  }

  async function loadOlder(limit: number): Promise<void> {
    const { hasOlder, start } = timeline;
    if (!hasOlder || view.getSnapshot().isLoading) return;
    view.change({ isLoading: true });
    try {
      timeline.prepend(await readPage({ last: limit, before: start }), start);
    } finally {
      view.change({ isLoading: load !== undefined });
    }
  }

  function hold(): () => void {
    holders++;
    context.channels.keep(id);
    runtime.clearTimer(lingering);
    context.connect();
    sync();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--holders > 0) return;
      if (context.endError()) release();
      else lingering = runtime.setTimer(release, LINGER_MS);
    };
  }

  /** The inbox delivers the channel from now on. */
  function onAvailable(info: ChannelInfo): void {
    inInbox = true;
    isShut = false;
    snapshot = undefined;
    view.inform(info);
    view.fail(undefined);
    sync();
  }

  /** The inbox no longer delivers the channel. Where no message has come yet, its own subscription continues where the inbox was. */
  function leaveInbox(): void {
    if (inInbox && holders > 0) lastCursor ??= context.position.cursor;
    inInbox = false;
  }

  /** Nothing uses the channel any more: what it shows would go stale, so it is loaded anew next time. */
  function release(): void {
    unsubscribe();
    context.channels.release(id);
    isShut = false;
    lastCursor = gap = undefined;
    forget();
  }

  /** What is loaded is no longer the newest page: it is replaced when the channel is shown. */
  function forget(): void {
    timeline.beginLoading();
    stopLoading();
  }

  function stopLoading(): void {
    load = undefined;
    runtime.clearTimer(retryTimer);
    view.change({ isLoading: false });
  }

  return {
    ...{ id, messages, ended, typing, view, hold },
    show(limit) {
      const size = Math.min(Math.max(limit, 1), 100);
      // Components that show the state only ask for one message; the component with the list decides.
      pageSize = viewers === 0 ? size : Math.max(size, pageSize);
      viewers++;
      const release = hold();
      return () => {
        viewers--;
        release();
      };
    },
    loadOlder,
    readPage,
    onReady(info) {
      isShut = false;
      leaveInbox();
      failures = 0;
      if (info) onAvailable(info);
      else sync();
    },
    onAvailable,
    onUnavailable(reason) {
      leaveInbox();
      isShut = true;
      unsubscribe();
      forget();
      members.finishSnapshot([]);
      view.fail(new SignalboxError('FORBIDDEN', `The channel is no longer available: ${reason}.`));
    },
    onInfo: view.inform,
    onAllowed() {
      if (!isRefused) return;
      unsubscribe();
      sync();
    },
    onPresence,
    onMessage(message) {
      if (holders > 0) lastCursor = message.cursor ?? lastCursor;
      if (typing.receive(message, context.isOwn(message))) return;
      if (viewers > 0 || load || timeline.isLoaded) timeline.append(message);
      view.onMessage(message);
      messages.emit(message);
    },
    onPublished(message, key) {
      typing.end();
      view.onPublished(message, key, viewers > 0 && !isShut);
    },
    onGap,
    onDown() {
      unsubscribe();
      typing.clear();
      stopLoading();
    },
    end(error) {
      runtime.clearTimer(lingering);
      if (holders === 0) release();
      ended.emit(error);
    },
  };
}

interface MemberPage {
  readonly nodes: readonly Member[];
  readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
}

async function pageOf(result: Promise<unknown>): Promise<Page> {
  const { channel } = (await result) as { channel: { messages: Page } | null };
  if (!channel) throw new SignalboxError('NOT_FOUND', 'The channel does not exist.');
  return channel.messages;
}
