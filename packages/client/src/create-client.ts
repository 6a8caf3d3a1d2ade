import { type Channel } from './channels/channel.ts';
import { createChannelController, type ChannelController } from './channels/channel-controller.ts';
import { createChannel } from './channels/create-channel.ts';
import { createRegistry } from './channels/registry.ts';
import {
  type ClientEvents,
  type ClientOptions,
  type ClientViewer,
  type GapNotice,
  type GraphqlOptions,
  type SignalboxClient,
} from './client.ts';
import { createConnection, type WaitOptions } from './connection/connection.ts';
import { type Socket } from './connection/socket.ts';
import { createCredentialSource } from './credential/credential.ts';
import { DOCUMENTS } from './documents.ts';
import { createEmitter } from './emitter.ts';
import { endpointOf } from './endpoint.ts';
import { offline, SignalboxError } from './errors.ts';
import { type ConnectedEvent, type InboxEvent } from './inbox/events.ts';
import { followInbox } from './inbox/inbox.ts';
import { createPosition } from './inbox/position.ts';
import { createRecentIds } from './inbox/recent-ids.ts';
import { copyOf, forEvent, type EventMap, type Message } from './message.ts';
import { createOutbox } from './outbox/outbox.ts';
import { createSavedEntries } from './outbox/saved-entries.ts';
import { publishOn } from './publish-on.ts';
import { createResumingOperation, type ResumingOperation } from './resuming-operation.ts';
import { hostRuntime } from './runtime.ts';
import { createSafeStorage } from './safe-storage.ts';

/**
 * Creates a client. It reads nothing from its environment and opens nothing before it is used.
 *
 * @example
 * const signalbox = createClient<{ message: { text: string } }>({ url, credential: () => fetchToken() });
 * signalbox.channel('lobby').on('message', ({ data }) => show(data.text));
 * @throws SignalboxError BAD_USER_INPUT when an option is missing or malformed
 */
export function createClient<Events extends EventMap = Record<string, unknown>>(
  options: ClientOptions,
): SignalboxClient<Events> {
  const { storageKey = 'signalbox', outboxLimit = 1_000 } = options;
  const storage = options.storage && createSafeStorage(options.storage);
  const url = endpointOf(options.url);
  if (!(options.credential as unknown))
    throw new SignalboxError('BAD_USER_INPUT', "credential is required; pass 'anonymous' for none.");
  if (!(outboxLimit >= 1 && outboxLimit <= 100_000))
    throw new SignalboxError('BAD_USER_INPUT', 'outboxLimit must be between 1 and 100000.');
  // Getters of the runtime read the environment when they are used, so the two are not copied into one object.
  const runtime = Object.assign(Object.create(hostRuntime) as typeof hostRuntime, options.runtime);

  const channels = createRegistry<ChannelController & { channel?: Channel<Events> }>();
  const operations = new Set<ResumingOperation>();
  const gaps = createEmitter<[GapNotice]>();
  const directMessages = createEmitter<[Message]>();
  const position = createPosition(storage, `${storageKey}:cursor`);
  const saved = createSavedEntries(storage, `${storageKey}:outbox`);
  const ids = createRecentIds();
  let ready: Socket | undefined;
  let viewer: ClientViewer | undefined;
  let presence: { readonly state: unknown } | undefined;
  let inboxChannels = new Map<string, ConnectedEvent['channels'][number]>();
  let restoring: Promise<void> | undefined;
  let isRestored = storage === undefined;
  let isWanted = false;
  let stopInbox: (() => void) | undefined;

  const outbox = createOutbox({
    ...{ runtime, saved, owner: options.identity },
    now: () => connection.serverNow(),
    limit: outboxLimit,
    onChange: (id) => channels.find(id)?.view.change(),
    onPublished: (message, key) => channels.find(message.channel ?? '')?.onPublished(message, key),
    renew: () => connection.renew(),
  });

  const source = createCredentialSource({
    option: options.credential,
    ...{ url, runtime, storage, storageKey },
  });

  const connection = createConnection({
    url,
    ...{ runtime, source, webSocket: options.webSocket, project: options.project },
    since: () => ([...operations].some(({ needsInit }) => needsInit) ? position.cursor : undefined),
    onCursor: position.begin,
    onLive(socket) {
      stopInbox = followInbox(socket, {
        ...{ runtime, position },
        handle: (event) => {
          if (socket === connection.live) handle(socket, event);
        },
        onError: connection.restart,
      });
      // If the connection is lost before its first event, the next one begins where this one would have.
      position.begin(socket.acknowledgement.cursor);
      for (const operation of [...operations]) operation.start(socket);
    },
    onDown() {
      ready = undefined;
      stopInbox?.();
      stopInbox = undefined;
      outbox.pause();
      for (const channel of channels.all()) channel.onDown();
      const ended = connection.endError();
      if (!ended) return;
      outbox.fail(ended);
      for (const channel of channels.all()) channel.end(ended);
      for (const operation of [...operations])
        if (connection.status.reason === 'closed') operation.complete();
        else operation.fail(ended);
    },
  });

  function handle(socket: Socket, event: InboxEvent): void {
    const channel = 'channel' in event ? channels.find(event.channel.id) : undefined;
    switch (event.__typename) {
      case 'Connected':
        return onConnected(socket, event);
      case 'ChannelMessage':
      case 'DirectMessage':
        return deliver(event.message);
      case 'ChannelAvailable':
        inboxChannels.set(event.channel.id, event.channel);
        return channel?.onAvailable(event.channel);
      case 'ChannelStateUpdated':
        if (inboxChannels.has(event.channel.id)) inboxChannels.set(event.channel.id, event.channel);
        return channel?.onInfo(event.channel);
      case 'ChannelUnavailable':
        inboxChannels.delete(event.channel.id);
        return channel?.onUnavailable(event.reason);
      case 'PresenceChanged':
        return channels.find(event.presence.channel)?.onPresence(event.presence);
      case 'TokenUpdated':
      case 'RestrictionLifted':
        for (const each of channels.all()) each.onAllowed();
        return;
      case 'TokenExpiring':
        return connection.renew(event);
      case 'Gap':
        for (const { id } of event.channels) {
          const missed = channels.find(id);
          if (missed) missed.onGap(event.reason);
          else onGap(id, event.reason);
        }
        if (event.directMessages) onGap(undefined, event.reason);
    }
  }

  const onGap = (channel: string | undefined, reason: string) => gaps.emit({ reason, channel });

  function onConnected(socket: Socket, event: ConnectedEvent): void {
    ready = socket;
    connection.synchronize(event.at);
    const { id: token = null, identity = null } = event.token ?? {};
    viewer = { connection: event.connection.id, token, identity };
    inboxChannels = new Map(event.channels.map((info) => [info.id, info]));
    if (presence) sendPresence(socket, presence.state);
    for (const channel of channels.all()) channel.onReady(inboxChannels.get(channel.id));
    void restoring?.then(() => {
      if (socket === ready) outbox.resume(socket, identity ?? token ?? '');
    });
  }

  function sendPresence(socket: Socket, state: unknown): void {
    socket.execute(DOCUMENTS.setPresence, { state }).catch(() => undefined);
  }

  function deliver(message: Message): void {
    if (!ids.isNew(message.id)) return;
    outbox.confirm(message);
    if (message.channel === null) directMessages.emit(message);
    else channels.find(message.channel)?.onMessage(message);
  }

  /** Connects for a caller that needs the connection. A client that ended stays so until the application connects it. */
  function connect(): void {
    if (connection.status.state === 'idle') open();
  }

  /** What an earlier page stored is read before the first connection, so that it resumes from there. */
  function open(): void {
    isWanted = true;
    restoring ??= Promise.all([position.load(), saved.load()]).then(([, entries]) => {
      outbox.restore(entries);
      isRestored = true;
    });
    if (isRestored) connection.connect();
    else
      void restoring.then(() => {
        if (isWanted) connection.connect();
      });
  }

  function live(options?: WaitOptions): Promise<Socket> {
    connect();
    return connection.whenLive(options);
  }

  async function read(query: string, variables: object): Promise<unknown> {
    for (;;) {
      const socket = await live();
      try {
        return await socket.execute(query, variables);
      } catch (thrown) {
        if ((thrown as SignalboxError).code !== 'CONNECTION_LOST') throw thrown;
      }
    }
  }

  async function publishEphemeral(channel: string, event: string, data: unknown): Promise<Message> {
    const socket = connection.live;
    if (!socket) throw offline();
    return publishOn(socket, { channel, event, data: copyOf(data), ephemeral: true });
  }

  const context = {
    ...{ runtime, outbox, position, connect, read, deliver, channels, endError: connection.endError },
    async publish(channel: string, event: string, data: unknown, isEphemeral?: boolean) {
      connect();
      const ended = connection.endError();
      if (ended) throw ended;
      return isEphemeral ? publishEphemeral(channel, event, data) : outbox.publish(channel, event, data);
    },
    get ready() {
      return ready;
    },
    isOwn: ({ sender }: Message) => sender.token !== null && sender.token === viewer?.token,
    onGap,
  };

  return {
    channel(id) {
      const known = channels.find(id)?.channel;
      if (known) return known;
      const controller: ChannelController & { channel?: Channel<Events> } = createChannelController(
        id,
        context,
      );
      const setPresence = (state: unknown) => {
        presence = { state };
        connect();
        if (ready) sendPresence(ready, state);
      };
      // Each refers to the other, so that both live as long as one of them is referred to.
      const channel = createChannel<Events>(id, controller, context, setPresence);
      controller.channel = channel;
      channels.add(id, controller);
      if (ready) controller.onReady(inboxChannels.get(id));
      return channel;
    },
    direct: {
      get size() {
        return directMessages.size;
      },
      on(event, listener) {
        connect();
        return directMessages.on(forEvent(event, listener as (message: Message) => void));
      },
    },
    get status() {
      return connection.status;
    },
    get viewer() {
      return viewer;
    },
    on(event, listener) {
      const listen = listener as (value: ClientEvents[keyof ClientEvents]) => void;
      return event === 'status' ? connection.onStatus(listen) : gaps.on(listen);
    },
    connect: open,
    async graphql<Data>(
      document: string,
      variables: object = {},
      { signal, timeoutMs = 30_000 }: GraphqlOptions = {},
    ) {
      const socket = await live({ signal, timeoutMs });
      return (await socket.execute(document, variables, signal)) as Data;
    },
    subscribe(document, variables, sink) {
      connect();
      const operation = createResumingOperation(document, variables, sink, () =>
        operations.delete(operation),
      );
      operations.add(operation);
      if (connection.live) operation.start(connection.live);
      return operation.stop;
    },
    async close() {
      isWanted = false;
      connection.close();
    },
  };
}
