import { type Client } from 'graphql-ws';
import {
  createChannel,
  mint,
  roundTrip,
  subscribeToken,
  updateToken,
  sendDirect,
  type MintedToken,
} from './backend.ts';
import { createManualClock } from './clock.ts';
import { queueResults } from './result-queue.ts';
import { API_KEY, startService, type TestService } from './service.ts';
import {
  subscribeBySse,
  subscribeByWebSocket,
  type Received,
  type Payload,
} from './transport-subscriptions.ts';

const SUBSCRIBE_ONLY = [{ channels: '*', actions: ['SUBSCRIBE'] }];

/** Tokens that differ in what they may see. */
const TOKENS = {
  guest: { role: 'GUEST', grants: null, state: null, isMember: false },
  listener: { role: 'SUBSCRIBER', grants: null, state: null, isMember: true },
  speaker: { role: 'PUBLISHER', grants: null, state: null, isMember: true },
  stranger: { role: 'PUBLISHER', grants: null, state: null, isMember: false },
  narrow: { role: 'PUBLISHER', grants: SUBSCRIBE_ONLY, state: null, isMember: true },
  moderator: { role: 'MODERATOR', grants: null, state: { notes: ['of the backend'] }, isMember: true },
};
export type TokenName = keyof typeof TOKENS;
export const TOKEN_NAMES = Object.keys(TOKENS) as TokenName[];
export type CallerName = TokenName | 'backend' | 'anonymous';
export const CALLER_NAMES: CallerName[] = [...TOKEN_NAMES, 'backend', 'anonymous'];
const isToken = (name: CallerName): name is TokenName => name in TOKENS;

/** Something that happens, which subscribers may hear of or see by. */
export type Action =
  | { kind: 'PUBLISH'; by: 'speaker' | 'backend'; event: 'said' | 'other'; ephemeral: boolean; data: unknown }
  | { kind: 'WHISPER'; to: TokenName }
  | { kind: 'STATE'; state: unknown }
  | { kind: 'UPDATE'; who: TokenName; input: object }
  | { kind: 'MEMBERSHIP'; who: TokenName; begins: boolean }
  /** A bystander who is in the channel from the start. */
  | { kind: 'SHOW'; state: unknown }
  | { kind: 'GO' | 'COME' };

/** One caller who asks the same at both doors. */
export interface TransportPair {
  readonly name: CallerName;
  readonly ws: Received;
  readonly sse: Received;
  stop(): Promise<void>;
}

/** A service with callers of every kind, on which one scene after another is played. Time stands still. */
export class Fixture implements AsyncDisposable {
  readonly #signalbox: TestService;
  readonly #tokens: Record<TokenName, MintedToken>;
  readonly #bystander: Client;
  readonly #bystanderId: string;
  #leave: (() => void) | undefined;
  #channels = 0;
  channel = '';
  /** Of the first of the two messages that a channel begins with. */
  since = '';

  private constructor(
    signalbox: TestService,
    tokens: Record<TokenName, MintedToken>,
    bystander: MintedToken,
  ) {
    this.#signalbox = signalbox;
    this.#tokens = tokens;
    this.#bystander = signalbox.client({ token: bystander.credential });
    this.#bystanderId = bystander.id;
  }

  static async open(): Promise<Fixture> {
    const endless = 1_000_000;
    const signalbox = await startService(
      {
        maxAliases: 10_000,
        maxDirectives: 10_000,
        maxTokens: endless,
        maxCost: 100_000_000,
        maxMessageBytes: endless,
        connectsPerSecond: endless,
        publishesPerSecondPerToken: endless,
      },
      { clock: createManualClock() },
    );
    const minted = TOKEN_NAMES.map(async (name) => {
      const { role, grants, state } = TOKENS[name];
      const input = { role, grants, state, identity: name, connectionData: `shown by ${name}` };
      return [name, await mint(signalbox, input)] as const;
    });
    const tokens = Object.fromEntries(await Promise.all(minted)) as Record<TokenName, MintedToken>;
    return new Fixture(signalbox, tokens, await mint(signalbox, { identity: 'bystander' }));
  }

  /** A new channel with its members, a state and two messages, and everyone as they were at first. */
  async reset(type: string): Promise<void> {
    const { request } = this.#signalbox;
    await this.clear();
    this.channel = `channel-${++this.#channels}`;
    await createChannel(this.#signalbox, this.channel, { type, state: { n: 0 } });
    await Promise.all(
      TOKEN_NAMES.map(async (name) => {
        const { isMember, role, grants, state } = TOKENS[name];
        const { id } = this.#tokens[name];
        await updateToken(this.#signalbox, id, { role, grants, state });
        if (isMember) await subscribeToken(this.#signalbox, this.channel, id);
      }),
    );
    await subscribeToken(this.#signalbox, this.channel, this.#bystanderId);
    const say = `mutation ($c: ID!) { publishMessage(channel: $c, event: "said", data: 0) { message { cursor } } }`;
    this.since = (await request(say, { c: this.channel })).publishMessage.message.cursor;
    await request(say, { c: this.channel });
    await this.#come();
  }

  async clear(): Promise<void> {
    if (this.channel === '') return;
    this.#leave?.();
    await this.#signalbox.request(`mutation ($c: ID!) { deleteChannel(id: $c) { id } }`, { c: this.channel });
  }

  /** Subscribes as this caller, at both doors. */
  async subscribe(name: CallerName, payload: Payload): Promise<TransportPair> {
    const bearer = isToken(name) ? this.#tokens[name].credential : name === 'backend' ? API_KEY : undefined;
    let count = 0;
    const client = this.#signalbox.client(
      isToken(name) ? { token: bearer } : name === 'backend' ? { apiKey: bearer } : {},
      // Clients that number their operations share frames too.
      { generateID: () => String(++count) },
    );
    const ws = await subscribeByWebSocket(client, payload);
    const sse = await subscribeBySse(this.#signalbox, bearer, payload);
    return {
      name,
      ws,
      sse,
      async stop() {
        ws.stop();
        sse.stop();
        await client.dispose();
      },
    };
  }

  async perform(action: Action): Promise<void> {
    const { request, ask } = this.#signalbox;
    const c = this.channel;
    switch (action.kind) {
      case 'PUBLISH': {
        const { by, ...message } = action;
        // Whoever may not, does not.
        await ask(
          `mutation ($c: ID!, $event: String!, $data: JSON, $ephemeral: Boolean) {
            publishMessage(channel: $c, event: $event, data: $data, ephemeral: $ephemeral) { connections }
          }`,
          { c, ...message },
          by === 'backend' ? API_KEY : this.#tokens.speaker.credential,
        );
        return;
      }
      case 'WHISPER':
        await sendDirect(this.#signalbox, this.#tokens[action.to].id, 'whispered');
        return;
      case 'STATE':
        await request(`mutation ($c: ID!, $s: JSON!) { setChannelState(channel: $c, state: $s) { id } }`, {
          c,
          s: action.state,
        });
        return;
      case 'UPDATE':
        await updateToken(this.#signalbox, this.#tokens[action.who].id, action.input);
        return;
      case 'MEMBERSHIP': {
        const name = action.begins ? 'subscribeToken' : 'unsubscribeToken';
        await ask(`mutation ($c: ID!, $t: ID!) { ${name}(channel: $c, token: $t) { createdAt } }`, {
          c,
          t: this.#tokens[action.who].id,
        });
        return;
      }
      case 'SHOW':
        await this.#run(`mutation ($s: JSON) { setPresence(state: $s) { id } }`, { s: action.state });
        return;
      case 'GO':
        this.#leave?.();
        await roundTrip(this.#bystander);
        return;
      case 'COME':
        await this.#come();
    }
  }

  /** Says `word` directly to each of them, who listens to `events`, and waits until it has come. */
  async sendSentinel(
    pairs: readonly TransportPair[],
    word: string,
    hasHeard: (heard: Received) => boolean,
  ): Promise<void> {
    for (const { name, ws, sse } of pairs) {
      if (isToken(name)) await sendDirect(this.#signalbox, this.#tokens[name].id, word);
      else for (const heard of [ws, sse]) await this.#callConnection(heard, word);
    }
    for (const heard of pairs.flatMap(({ ws, sse }) => [ws, sse])) await heard.until(() => hasHeard(heard));
  }

  /** For callers who have no other address: `Connected` tells it. */
  async #callConnection(heard: Received, word: string): Promise<void> {
    await heard.until(({ length }) => length > 0);
    await this.#signalbox.request(
      `mutation ($c: ID!, $e: String!) { publishDirectMessage(connection: $c, event: $e) { connections } }`,
      { c: heard.results[0]?.data.events.mine.id, e: word },
    );
  }

  async #come(): Promise<void> {
    this.#leave?.();
    const query = `subscription ($c: ID!) { messages(channel: $c) { id } }`;
    this.#leave = queueResults(this.#bystander, query, { c: this.channel }).stop;
    await roundTrip(this.#bystander);
  }

  async #run(query: string, variables: Record<string, unknown>): Promise<void> {
    for await (const { errors } of this.#bystander.iterate({ query, variables }))
      if (errors) throw new Error(errors[0]?.message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#signalbox[Symbol.asyncDispose]();
  }
}
