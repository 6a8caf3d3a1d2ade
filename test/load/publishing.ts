import { type Client } from 'graphql-ws';
import { type Answer, type ServiceClient } from '../support/service.ts';
import { publishRequest } from '../support/publish.ts';

/** From before a request was sent until its answer was there, in moments that count from 1. The effect happened in between. */
export interface Span {
  sent: number;
  returned: number;
}

export type EventName = 'a' | 'b';

/** A publish and its outcome. */
export interface PublishAttempt extends Span {
  channel: string;
  event: EventName;
  ephemeral: boolean;
  /** The name of the publishing token; undefined: the API key. */
  by: string | undefined;
  /** The id of the message; undefined if the publish was refused. */
  id: string | undefined;
  code: unknown;
}

/** Executes an operation over one transport. */
export type Execute = (query: string, variables: Record<string, unknown>) => Promise<Answer>;

export const byHttp =
  (service: ServiceClient, bearer?: string): Execute =>
  (query, variables) =>
    service.ask(query, variables, bearer);

export const byWebSocket =
  (client: Client): Execute =>
  async (query, variables) => {
    for await (const answer of client.iterate({ query, variables })) return answer as Answer;
    return {};
  };

const PADDING = { busy: '', calm: 'x'.repeat(200), club: '', heavy: 'x'.repeat(150_000) };
export type ChannelName = keyof typeof PADDING;
export const CHANNELS = Object.keys(PADDING) as ChannelName[];

/** Publishes messages and records every attempt. */
export class Publishing {
  readonly attempts: PublishAttempt[] = [];
  #moment = 0;
  readonly #checks = new Set<() => void>();

  async span<T>(work: () => Promise<T>): Promise<Span & { value: T }> {
    const sent = ++this.#moment;
    const value = await work();
    return { value, sent, returned: ++this.#moment };
  }

  async publish(
    execute: Execute,
    channel: ChannelName,
    { event, ephemeral, by }: Pick<PublishAttempt, 'event' | 'ephemeral' | 'by'>,
  ): Promise<void> {
    const data = PADDING[channel];
    const { query, variables } = publishRequest({ channel }, data, { event, ephemeral });
    const { value, sent, returned } = await this.span(() => execute(query, variables));
    const id: string | undefined = value.data?.said.message.id;
    const code = value.errors?.[0]?.extensions['code'];
    this.attempts.push({ channel, event, ephemeral, by, sent, returned, id, code });
    for (const check of this.#checks) check();
  }

  /** Resolves when the predicate holds; it is evaluated after every attempt. */
  until(predicate: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!predicate()) return;
        this.#checks.delete(check);
        resolve();
      };
      this.#checks.add(check);
      check();
    });
  }

  /** Returns a function that counts the attempts in a channel that were sent and answered after this call. */
  counterFromNow(channel: ChannelName): () => number {
    const from = this.#moment;
    return () => this.attempts.filter((one) => one.channel === channel && one.sent > from).length;
  }
}
