import {
  forEvent,
  type AnyMessage,
  type EventMap,
  type EventName,
  type Message,
  type MessageOf,
} from '../message.ts';
import { type Channel } from './channel.ts';
import { type ChannelContext, type ChannelController } from './channel-controller.ts';
import { iterateMessages } from './iterate-messages.ts';
import { type ChannelSnapshot } from './snapshot.ts';

/** The public side of a channel. The types of events are a promise of the application, so they are asserted here. */
export function createChannel<Events extends EventMap>(
  id: string,
  controller: ChannelController,
  context: ChannelContext,
  setPresence: (state: unknown) => void,
): Channel<Events> {
  const { view, typing, messages } = controller;

  function listen(listener: (message: Message) => void): () => void {
    const off = messages.on(listener);
    const release = controller.hold();
    return () => {
      off();
      release();
    };
  }

  return {
    id,
    get size() {
      return messages.size;
    },
    on<Event extends EventName<Events> | '*'>(
      event: Event,
      listener: (message: MessageOf<Events, Event>) => void,
    ) {
      return listen(forEvent(event, listener as (message: Message) => void));
    },
    publish<Event extends EventName<Events>>(
      event: Event,
      data: Events[Event],
      options: { readonly ephemeral?: boolean } = {},
    ) {
      const published = context.publish(id, event, data, options.ephemeral);
      // The snapshot shows the error as well, so a caller need not handle the promise.
      published.catch(() => undefined);
      return published as Promise<Message<Events[Event], Event>>;
    },
    async history({ limit = 50, before } = {}) {
      const { nodes, pageInfo } = await controller.readPage({ last: limit, before });
      return {
        messages: nodes as unknown as AnyMessage<Events>[],
        before: pageInfo.hasPreviousPage ? (pageInfo.startCursor ?? undefined) : undefined,
      };
    },
    messages: (options = {}) =>
      iterateMessages(
        {
          ...{ onMessage: listen, onEnd: controller.ended.on, readPage: controller.readPage },
        },
        options,
      ) as AsyncGenerator<AnyMessage<Events>, void>,
    get state() {
      return view.getSnapshot().state;
    },
    presence: {
      get members() {
        return view.getSnapshot().members;
      },
      set: setPresence,
    },
    typing,
    subscribe(listener, { history = 50 } = {}) {
      const off = view.onChange(listener);
      const release = controller.show(history);
      return () => {
        off();
        release();
      };
    },
    getSnapshot: () => view.getSnapshot() as unknown as ChannelSnapshot<Events>,
    loadOlder: (limit = 50) => controller.loadOlder(limit),
  };
}
