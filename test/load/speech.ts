import { type Client } from 'graphql-ws';
import { type Answer, type ServiceClient } from '../support/service.ts';
import { publishRequest } from '../support/publish.ts';

/** From before something was asked for until its answer was there, in moments that count from 1: it happened in between. */
export interface Span {
  sent: number;
  returned: number;
}

export type EventName = 'a' | 'b';

/** Something that was said, or was to be. */
export interface Said extends Span {
  channel: string;
  event: EventName;
  ephemeral: boolean;
  /** The name of the token that said it; undefined: the API key. */
  by: string | undefined;
  /** Undefined where it was refused. */
  id: string | undefined;
  code: unknown;
}

/** Asks by one of the doors. */
export type Ask = (query: string, variables: Record<string, unknown>) => Promise<Answer>;

export const byHttp =
  (doors: ServiceClient, bearer?: string): Ask =>
  (query, variables) =>
    doors.ask(query, variables, bearer);

export const byWebSocket =
  (client: Client): Ask =>
  async (query, variables) => {
    for await (const answer of client.iterate({ query, variables })) return answer as Answer;
    return {};
  };

const PADDING = { busy: '', calm: 'x'.repeat(200), club: '', heavy: 'x'.repeat(150_000) };
export type ChannelName = keyof typeof PADDING;
export const CHANNELS = Object.keys(PADDING) as ChannelName[];

/** Everything that is said, and how far one has got with it. */
export class Speech {
  readonly said: Said[] = [];
  #moment = 0;
  readonly #looks = new Set<() => void>();

  async span<T>(work: () => Promise<T>): Promise<Span & { value: T }> {
    const sent = ++this.#moment;
    const value = await work();
    return { value, sent, returned: ++this.#moment };
  }

  async say(
    ask: Ask,
    channel: ChannelName,
    { event, ephemeral, by }: Pick<Said, 'event' | 'ephemeral' | 'by'>,
  ): Promise<void> {
    const data = PADDING[channel];
    const { query, variables } = publishRequest({ channel }, data, { event, ephemeral });
    const { value, sent, returned } = await this.span(() => ask(query, variables));
    const id: string | undefined = value.data?.said.message.id;
    const code = value.errors?.[0]?.extensions['code'];
    this.said.push({ channel, event, ephemeral, by, sent, returned, id, code });
    for (const look of this.#looks) look();
  }

  /** Resolves when `fits` holds, which is asked whenever something was said. */
  until(fits: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!fits()) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  /** How much has been said in a channel from now on, from the first word to its answer. */
  countFromNow(channel: ChannelName): () => number {
    const from = this.#moment;
    return () => this.said.filter((one) => one.channel === channel && one.sent > from).length;
  }
}
