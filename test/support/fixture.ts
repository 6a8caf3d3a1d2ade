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

/** Tokens that differ in the fields and channels that they may see. */
const TOKENS = {
  guest: { role: 'GUEST', grants: null, state: null, isMember: false },
  subscriber: { role: 'SUBSCRIBER', grants: null, state: null, isMember: true },
  publisher: { role: 'PUBLISHER', grants: null, state: null, isMember: true },
  stranger: { role: 'PUBLISHER', grants: null, state: null, isMember: false },
  narrow: { role: 'PUBLISHER', grants: SUBSCRIBE_ONLY, state: null, isMember: true },
  moderator: { role: 'MODERATOR', grants: null, state: { notes: ['of the backend'] }, isMember: true },
};
export type TokenName = keyof typeof TOKENS;
export const TOKEN_NAMES = Object.keys(TOKENS) as TokenName[];
export type CallerName = TokenName | 'backend' | 'anonymous';
export const CALLER_NAMES: CallerName[] = [...TOKEN_NAMES, 'backend', 'anonymous'];
const isToken = (name: CallerName): name is TokenName => name in TOKENS;

/** An action that may cause events for subscribers. */
export type Action =
  | {
      kind: 'PUBLISH';
      by: 'publisher' | 'backend';
      event: 'said' | 'other';
      ephemeral: boolean;
      data: unknown;
    }
  | { kind: 'SEND_DIRECT'; to: TokenName }
  | { kind: 'STATE'; state: unknown }
  | { kind: 'UPDATE'; who: TokenName; input: object }
  | { kind: 'MEMBERSHIP'; who: TokenName; begins: boolean }
  /** Actions of a bystander, who is in the channel from the start. */
  | { kind: 'SET_PRESENCE'; state: unknown }
  | { kind: 'LEAVE' | 'JOIN' };

/** The same subscription of one caller, over both transports. */
export interface TransportPair {
  readonly name: CallerName;
  readonly ws: Received;
  readonly sse: Received;
  stop(): Promise<void>;
}

/**
 * A service with callers of every kind and a manual clock. Tests run one scenario after another on it, each in a new
 * channel.
 */
export class Fixture implements AsyncDisposable {
  readonly #signalbox: TestService;
  readonly #tokens: Record<TokenName, MintedToken>;
  readonly #bystander: Client;
  readonly #bystanderId: string;
  #leave: (() => void) | undefined;
  #channels = 0;
  #publishes = 0;
  channel = '';
  /** Cursor of the first of the two messages that every channel starts with. */
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
    const unlimited = 1_000_000;
    const signalbox = await startService(
      {
        maxAliases: 10_000,
        maxDirectives: 10_000,
        maxTokens: unlimited,
        maxCost: 100_000_000,
        operationCostPerSecondPerToken: 1_000_000_000,
        operationCostPerSecondPerAddress: 1_000_000_000,
        operationCostPerSecondPerKey: 1_000_000_000,
        maxDistinctOperationsPerConnection: 100_000,
        maxDistinctOperationsPerToken: 100_000,
        maxDistinctOperationsPerChannel: 100_000,
        maxMessageBytes: unlimited,
        connectsPerSecond: unlimited,
        publishesPerSecondPerToken: unlimited,
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

  /** Creates a new channel with members, a state and two messages, and resets every token. */
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
    const publish = `mutation ($c: ID!) { publishMessage(channel: $c, event: "said", data: 0) { message { cursor } } }`;
    this.since = (await request(publish, { c: this.channel })).publishMessage.message.cursor;
    await request(publish, { c: this.channel });
    await this.#join();
  }

  async clear(): Promise<void> {
    if (this.channel === '') return;
    this.#leave?.();
    await this.#signalbox.request(`mutation ($c: ID!) { deleteChannel(id: $c) { id } }`, { c: this.channel });
  }

  /** Subscribes as the named caller, over both transports. */
  async subscribe(name: CallerName, payload: Payload): Promise<TransportPair> {
    const bearer = isToken(name) ? this.#tokens[name].credential : name === 'backend' ? API_KEY : undefined;
    let count = 0;
    const client = this.#signalbox.client(
      isToken(name) ? { token: bearer } : name === 'backend' ? { apiKey: bearer } : {},
      // Clients that number their operations get shared frames as well.
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
        // The token may lack the permission at this point; then the publish is refused and has no effect.
        await ask(
          `mutation ($c: ID!, $event: String!, $data: JSON, $ephemeral: Boolean, $key: String!) {
            publishMessage(channel: $c, event: $event, data: $data, ephemeral: $ephemeral, idempotencyKey: $key) { connections }
          }`,
          { c, ...message, key: `publish-${++this.#publishes}` },
          by === 'backend' ? API_KEY : this.#tokens.publisher.credential,
        );
        return;
      }
      case 'SEND_DIRECT':
        await sendDirect(this.#signalbox, this.#tokens[action.to].id, 'direct');
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
      case 'SET_PRESENCE':
        await this.#executeAsBystander(`mutation ($s: JSON) { setPresence(state: $s) { id } }`, {
          s: action.state,
        });
        return;
      case 'LEAVE':
        this.#leave?.();
        await roundTrip(this.#bystander);
        return;
      case 'JOIN':
        await this.#join();
    }
  }

  /** Sends a direct message to each subscriber of `events` and waits until it has been delivered on both transports. */
  async sendSentinel(
    pairs: readonly TransportPair[],
    event: string,
    hasArrived: (received: Received) => boolean,
  ): Promise<void> {
    for (const { name, ws, sse } of pairs) {
      if (isToken(name)) await sendDirect(this.#signalbox, this.#tokens[name].id, event);
      else for (const received of [ws, sse]) await this.#sendToConnection(received, event);
    }
    for (const received of pairs.flatMap(({ ws, sse }) => [ws, sse]))
      await received.until(() => hasArrived(received));
  }

  /** For callers without a token or identity: the event `Connected` names their connection. */
  async #sendToConnection(received: Received, event: string): Promise<void> {
    await received.until(({ length }) => length > 0);
    await this.#signalbox.request(
      `mutation ($c: ID!, $e: String!) { publishDirectMessage(connection: $c, event: $e) { connections } }`,
      { c: received.results[0]?.data.events.mine.id, e: event },
    );
  }

  async #join(): Promise<void> {
    this.#leave?.();
    const query = `subscription ($c: ID!) { messages(channel: $c) { id } }`;
    this.#leave = queueResults(this.#bystander, query, { c: this.channel }).stop;
    await roundTrip(this.#bystander);
  }

  async #executeAsBystander(query: string, variables: Record<string, unknown>): Promise<void> {
    for await (const { errors } of this.#bystander.iterate({ query, variables }))
      if (errors) throw new Error(errors[0]?.message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#signalbox[Symbol.asyncDispose]();
  }
}
