import { type Answer, type TestService } from '../support/service.ts';
import { createRandomSource } from './random-source.ts';
import { SimulatedClient } from './client.ts';
import { type Step, type TokenPlan } from './plan.ts';
import {
  NEVER,
  type Address,
  type Token,
  type SimulationRecord,
  type Moment,
  type PermissionPeriod,
  type Span,
} from './record.ts';

const PUBLISH_MESSAGE = `mutation ($channel: ID!, $data: JSON, $ephemeral: Boolean, $key: String) {
  receipt: publishMessage(channel: $channel, event: "said", data: $data, ephemeral: $ephemeral, idempotencyKey: $key) {
    message { id cursor previous channel data }
  }
}`;
const SEND_DIRECT = `mutation ($token: ID, $identity: String, $connection: ID, $data: JSON, $ephemeral: Boolean) {
  receipt: publishDirectMessage(
    token: $token, identity: $identity, connection: $connection, event: "said", data: $data, ephemeral: $ephemeral
  ) { message { id cursor previous channel data } }
}`;
/** Long enough that a replay has to wait for the socket now and then. */
const PADDING = 'x'.repeat(2000);
const CREATE_TOKEN = `mutation ($input: CreateTokenInput) {
  createToken(input: $input) { token { id } credential cursor }
}`;
const SUBSCRIBE_TOKEN = `mutation ($channel: ID!, $token: ID!) { subscribeToken(channel: $channel, token: $token) { createdAt } }`;
const UNSUBSCRIBE_TOKEN = `mutation ($channel: ID!, $token: ID!) { unsubscribeToken(channel: $channel, token: $token) { createdAt } }`;
const UPDATE_TOKEN = `mutation ($id: ID!, $input: UpdateTokenInput!) { updateToken(id: $id, input: $input) { id } }`;
const REVOKE_TOKEN = `mutation ($id: ID!) { revokeToken(id: $id) { id } }`;
const PATCH_STATE = `mutation ($channel: ID!, $patch: JSON!) { patchChannelState(channel: $channel, patch: $patch) { version } }`;
const CREATE_CHANNEL = `mutation ($input: CreateChannelInput!) { createChannel(input: $input) { id } }`;

/** Performs the planned steps and records their outcomes. */
export class Driver implements AsyncDisposable {
  readonly record: SimulationRecord;
  readonly clients = new Map<string, SimulatedClient>();
  readonly tokens = new Map<string, Token & { credential: string }>();
  /** Whether the proxies cut connections at random. */
  cutsAtRandom = true;
  readonly #signalbox: TestService;
  /** Requests that were sent and not awaited. */
  readonly #pending = new Set<Promise<unknown>>();
  #texts = 0;

  constructor(signalbox: TestService, record: SimulationRecord) {
    this.#signalbox = signalbox;
    this.record = record;
  }

  /** Creates the channels. */
  async open(): Promise<void> {
    for (const input of this.record.channels) await this.#mustAsk(CREATE_CHANNEL, { input });
  }

  async perform(step: Step): Promise<void> {
    switch (step.kind) {
      case 'createToken':
        return this.#createToken(step.plan);
      case 'publish':
        await Promise.all(
          Array.from({ length: step.count }, () => this.#publishMessage(step.channel, step.ephemeral)),
        );
        return;
      case 'publishOnSocket': {
        const client = this.clients.get(step.client);
        if (!client || client.stream.ended !== undefined) return;
        const published = Array.from({ length: step.count }, () =>
          this.#publishMessage(step.channel, step.ephemeral, client),
        );
        if (step.isAwaited) await Promise.all(published);
        else this.#track(Promise.all(published));
        return;
      }
      case 'sendDirect':
        return this.#sendDirectTo(step.to, step.name, step.ephemeral);
      case 'subscribe':
      case 'unsubscribe':
        return this.#changeMembership(step);
      case 'updateToken':
        return this.#updateToken(step.token, { role: step.role, grants: step.grants });
      case 'setExpiry':
        return this.#updateToken(step.token, { expiresAt: Date.now() + step.seconds * 1000 });
      case 'revokeToken':
        return this.#revokeToken(step.token);
      case 'patchState': {
        const client = step.client === undefined ? undefined : this.clients.get(step.client);
        await Promise.all(Array.from({ length: step.count }, () => this.#patchState(step.channel, client)));
        return;
      }
      case 'checkOnline':
        return this.#checkOnline(step.token);
      default: {
        const client = this.clients.get(step.client);
        if (!client) return;
        if (step.kind === 'cut') client.cut();
        if (step.kind === 'goOffline') client.goOffline();
        if (step.kind === 'goOnline') client.goOnline();
        if (step.kind === 'disconnect') client.disconnect();
        if (step.kind === 'connect') client.connect();
        if (step.kind === 'connect' && step.isAwaited) await client.untilConnected();
      }
    }
  }

  async #createToken(plan: TokenPlan): Promise<void> {
    const { name, identity, role, grants, channels, expiresIn, clients } = plan;
    const expiresAt = expiresIn === undefined ? null : Date.now() + expiresIn * 1000;
    const input = { identity, role, grants, channels, expiresAt: expiresAt && new Date(expiresAt) };
    const { value, span } = await this.timed(() => this.#mustAsk(CREATE_TOKEN, { input }));
    const { credential, cursor } = value.createToken;
    const token: Token & { credential: string } = {
      name,
      id: value.createToken.token.id,
      identity,
      credential,
      credentialEnds: expiresAt === null ? NEVER : Math.ceil(expiresAt / 1000) * 1000,
      permissionPeriods: [{ from: span, role, grants, expiresAt }],
      membershipPeriods: channels.map((channel) => ({ channel, began: span, ended: undefined })),
    };
    this.tokens.set(name, token);
    this.record.tokens.push(token);
    for (const { name: clientName, startsAtCreation, connectsLater } of clients) {
      const client = await SimulatedClient.create({
        name: clientName,
        token: name,
        credential,
        since: startsAtCreation ? { cursor, obtained: span } : undefined,
        port: Number(new URL(this.#signalbox.url).port),
        random: createRandomSource(this.record.seed).fork(clientName),
        now: () => this.now(),
        onUnexpectedError: (description) => this.record.unexpectedErrors.push(description),
        cutsAtRandom: () => this.cutsAtRandom,
      });
      this.clients.set(clientName, client);
      this.record.streams.push(client.stream);
      if (!connectsLater) client.connect();
    }
  }

  /** Publishes to a channel, over the socket of a client or with the API key. */
  async #publishMessage(channel: string, ephemeral: boolean, client?: SimulatedClient): Promise<void> {
    const text = `text-${++this.#texts}`;
    const variables = {
      channel,
      data: { text, padding: this.#texts % 3 === 0 ? PADDING : '' },
      ephemeral,
      key: client && text,
    };
    await this.#recordAttempt({ text, to: `channel:${channel}`, ephemeral, by: client?.stream.token }, () =>
      client ? client.ask(PUBLISH_MESSAGE, variables) : this.#signalbox.ask(PUBLISH_MESSAGE, variables),
    );
  }

  async #sendDirectTo(
    to: 'token' | 'identity' | 'connection',
    name: string,
    ephemeral: boolean,
  ): Promise<void> {
    if (to === 'identity') {
      const isKnown = this.record.tokens.some(({ identity }) => identity === name);
      return isKnown ? this.sendDirect(`identity:${name}`, { identity: name }, ephemeral) : undefined;
    }
    if (to === 'token') {
      const token = this.tokens.get(name)?.id;
      return token === undefined ? undefined : this.sendDirect(`token:${name}`, { token }, ephemeral);
    }
    const connection = this.clients.get(name)?.connection;
    return connection === undefined
      ? undefined
      : this.sendDirect(`connection:${connection}`, { connection }, true);
  }

  async sendDirect(to: Address, address: object, ephemeral: boolean, text = `text-${++this.#texts}`) {
    const variables = {
      ...address,
      data: { text, padding: this.#texts % 3 === 0 ? PADDING : '' },
      ephemeral,
    };
    await this.#recordAttempt({ text, to, ephemeral, by: undefined }, () =>
      this.#signalbox.ask(SEND_DIRECT, variables),
    );
  }

  async #recordAttempt(
    publish: { text: string; to: Address; ephemeral: boolean; by: string | undefined },
    ask: () => Promise<Answer & { isRepeated?: boolean }>,
  ): Promise<void> {
    const { value, span } = await this.timed(ask);
    const message = value.data?.receipt?.message;
    const code = value.errors?.[0]?.extensions['code'];
    const { attempts } = this.record;
    if (message) attempts.push({ ...publish, ...span, outcome: 'KEPT', message });
    else if (typeof code === 'string' && !value.isRepeated) {
      attempts.push({ ...publish, ...span, outcome: 'REFUSED', code });
    } else attempts.push({ ...publish, sent: span.sent, returned: NEVER, outcome: 'UNKNOWN' });
  }

  async #changeMembership(step: Extract<Step, { kind: 'subscribe' | 'unsubscribe' }>): Promise<void> {
    const { kind, channel } = step;
    const token = this.tokens.get(step.token);
    const client = step.client === undefined ? undefined : this.clients.get(step.client);
    if (!token || (client && client.stream.ended !== undefined)) return;
    const variables = { channel, token: token.id };
    const document = kind === 'subscribe' ? SUBSCRIBE_TOKEN : UNSUBSCRIBE_TOKEN;
    const { value, span } = await this.timed<Answer>(() =>
      client ? client.ask(document, variables) : this.#signalbox.ask(document, variables),
    );
    if (!client && value.errors) this.#recordError(document, variables, value);
    // If the token expired during its own request, the request may or may not have taken effect.
    const happened = value.data ? span : { sent: span.sent, returned: NEVER };
    const membership = token.membershipPeriods.findLast((other) => other.channel === channel && !other.ended);
    if (kind === 'unsubscribe' && membership) membership.ended = happened;
    if (kind === 'subscribe' && !membership)
      token.membershipPeriods.push({ channel, began: happened, ended: undefined });
  }

  async #updateToken(
    name: string,
    change: Partial<Pick<PermissionPeriod, 'role' | 'grants' | 'expiresAt'>>,
  ): Promise<void> {
    const token = this.tokens.get(name);
    if (!token) return;
    const { expiresAt } = change;
    const input = { ...change, ...(expiresAt != null && { expiresAt: new Date(expiresAt) }) };
    const { span } = await this.timed(() => this.#mustAsk(UPDATE_TOKEN, { id: token.id, input }));
    token.permissionPeriods.push({ ...token.permissionPeriods.at(-1)!, ...change, from: span });
  }

  async #revokeToken(name: string): Promise<void> {
    const token = this.tokens.get(name);
    if (!token) return;
    const { span } = await this.timed(() => this.#mustAsk(REVOKE_TOKEN, { id: token.id }));
    token.permissionPeriods.push({ ...token.permissionPeriods.at(-1)!, from: span, ended: 'REVOKED' });
  }

  async #patchState(channel: string, client: SimulatedClient | undefined): Promise<void> {
    const key = `patch-${++this.#texts}`;
    const variables = { channel, patch: { [key]: true } };
    const { value, span } = await this.timed<Answer>(() =>
      client ? client.ask(PATCH_STATE, variables) : this.#signalbox.ask(PATCH_STATE, variables),
    );
    const version = value.data?.patchChannelState?.version;
    if (version !== undefined) this.record.patches.push({ channel, key, version, ...span });
    else if (!client) this.#recordError(PATCH_STATE, variables, value);
  }

  async #checkOnline(name: string): Promise<void> {
    const token = this.tokens.get(name);
    if (!token) return;
    const { value, span } = await this.timed(() =>
      this.#mustAsk('query ($t: ID!) { isOnline(token: $t) }', { t: token.id }),
    );
    this.record.onlineChecks.push({ token: name, online: value.isOnline, ...span });
  }

  /** Executes an operation with the API key and records an unexpected error if it is refused. */
  async #mustAsk(query: string, variables: object): Promise<any> {
    const answer = await this.#signalbox.ask(query, variables);
    if (answer.errors) this.#recordError(query, variables, answer);
    return answer.data;
  }

  #recordError(query: string, variables: object, { errors }: Answer): void {
    this.record.unexpectedErrors.push(`${query} ${JSON.stringify(variables)}: ${JSON.stringify(errors)}`);
  }

  #track(work: Promise<unknown>): void {
    this.#pending.add(work);
    void work.finally(() => this.#pending.delete(work));
  }

  /** Resolves when every request that was not awaited has been answered. */
  async untilIdle(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async timed<T>(work: () => Promise<T>): Promise<{ value: T; span: Span }> {
    const sent = this.now();
    const value = await work();
    return { value, span: { sent, returned: this.now() } };
  }

  /** Records a new moment. */
  now(): Moment {
    return this.record.wallClock.push(Date.now()) - 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.clients.values()].map((client) => client[Symbol.asyncDispose]()));
  }
}
