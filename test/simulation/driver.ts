import { type Answer, type TestService } from '../support/service.ts';
import { createChance } from './chance.ts';
import { Phone } from './client.ts';
import { type Act, type Arrival } from './plan.ts';
import {
  NEVER,
  type Address,
  type Bearer,
  type Evening,
  type Moment,
  type Regime,
  type Span,
} from './record.ts';

const PUBLISH = `mutation ($channel: ID!, $data: JSON, $ephemeral: Boolean, $key: String) {
  receipt: publishMessage(channel: $channel, event: "said", data: $data, ephemeral: $ephemeral, idempotencyKey: $key) {
    message { id cursor previous channel data }
  }
}`;
const WHISPER = `mutation ($token: ID, $identity: String, $connection: ID, $data: JSON, $ephemeral: Boolean) {
  receipt: publishDirectMessage(
    token: $token, identity: $identity, connection: $connection, event: "said", data: $data, ephemeral: $ephemeral
  ) { message { id cursor previous channel data } }
}`;
/** So much that a replay must wait for its reader now and then. */
const LONG = 'x'.repeat(2000);
const MINT = `mutation ($input: CreateTokenInput) {
  createToken(input: $input) { token { id } credential cursor }
}`;
const JOIN = `mutation ($channel: ID!, $token: ID!) { subscribeToken(channel: $channel, token: $token) { createdAt } }`;
const PART = `mutation ($channel: ID!, $token: ID!) { unsubscribeToken(channel: $channel, token: $token) { createdAt } }`;
const CHANGE = `mutation ($id: ID!, $input: UpdateTokenInput!) { updateToken(id: $id, input: $input) { id } }`;
const REVOKE = `mutation ($id: ID!) { revokeToken(id: $id) { id } }`;
const PATCH = `mutation ($channel: ID!, $patch: JSON!) { patchChannelState(channel: $channel, patch: $patch) { version } }`;
const OPEN = `mutation ($input: CreateChannelInput!) { createChannel(input: $input) { id } }`;

/** Does what the plan says and notes what came of it. */
export class Host implements AsyncDisposable {
  readonly evening: Evening;
  readonly phones = new Map<string, Phone>();
  readonly bearers = new Map<string, Bearer & { credential: string }>();
  /** Whether lines break by themselves. */
  isStormy = true;
  readonly #signalbox: TestService;
  /** What was begun and not waited for. */
  readonly #pending = new Set<Promise<unknown>>();
  #words = 0;

  constructor(signalbox: TestService, evening: Evening) {
    this.#signalbox = signalbox;
    this.evening = evening;
  }

  /** Makes the channels. */
  async open(): Promise<void> {
    for (const input of this.evening.places) await this.#mustAsk(OPEN, { input });
  }

  async perform(act: Act): Promise<void> {
    switch (act.do) {
      case 'arrive':
        return this.#arrive(act.arrival);
      case 'say':
        await Promise.all(Array.from({ length: act.count }, () => this.#say(act.channel, act.ephemeral)));
        return;
      case 'speak': {
        const phone = this.phones.get(act.phone);
        if (!phone || phone.stream.ended !== undefined) return;
        const spoken = Array.from({ length: act.count }, () => this.#say(act.channel, act.ephemeral, phone));
        if (act.isAwaited) await Promise.all(spoken);
        else this.#later(Promise.all(spoken));
        return;
      }
      case 'whisper':
        return this.#whisperTo(act.to, act.name, act.ephemeral);
      case 'join':
      case 'part':
        return this.#move(act);
      case 'change':
        return this.#change(act.token, { role: act.role, grants: act.grants });
      case 'limit':
        return this.#change(act.token, { expiresAt: Date.now() + act.seconds * 1000 });
      case 'revoke':
        return this.#revoke(act.token);
      case 'patch': {
        const phone = act.phone === undefined ? undefined : this.phones.get(act.phone);
        await Promise.all(Array.from({ length: act.count }, () => this.#patch(act.channel, phone)));
        return;
      }
      case 'ask':
        return this.#isOnline(act.token);
      default: {
        const phone = this.phones.get(act.phone);
        if (!phone) return;
        if (act.do === 'cut') phone.cut();
        if (act.do === 'outage') phone.break();
        if (act.do === 'mend') phone.mend();
        if (act.do === 'leave') phone.leave();
        if (act.do === 'return') phone.come();
        if (act.do === 'return' && act.isAwaited) await phone.connected();
      }
    }
  }

  async #arrive(arrival: Arrival): Promise<void> {
    const { name, identity, role, grants, channels, expiresIn, phones } = arrival;
    const expiresAt = expiresIn === undefined ? null : Date.now() + expiresIn * 1000;
    const input = { identity, role, grants, channels, expiresAt: expiresAt && new Date(expiresAt) };
    const { value, span } = await this.timed(() => this.#mustAsk(MINT, { input }));
    const { token, credential, cursor } = value.createToken;
    const bearer: Bearer & { credential: string } = {
      name,
      id: token.id,
      identity,
      credential,
      credentialEnds: expiresAt === null ? NEVER : Math.ceil(expiresAt / 1000) * 1000,
      regimes: [{ from: span, role, grants, expiresAt }],
      stays: channels.map((channel) => ({ channel, began: span, ended: undefined })),
    };
    this.bearers.set(name, bearer);
    this.evening.bearers.push(bearer);
    for (const { name: phoneName, isFromMinting, isLate } of phones) {
      const phone = await Phone.create({
        name: phoneName,
        bearer: name,
        credential,
        since: isFromMinting ? { cursor, had: span } : undefined,
        port: Number(new URL(this.#signalbox.url).port),
        chance: createChance(this.evening.seed).fork(phoneName),
        now: () => this.now(),
        surprise: (what) => this.evening.surprises.push(what),
        isStormy: () => this.isStormy,
      });
      this.phones.set(phoneName, phone);
      this.evening.streams.push(phone.stream);
      if (!isLate) phone.come();
    }
  }

  /** In a channel, by a phone or by the API key. */
  async #say(channel: string, ephemeral: boolean, phone?: Phone): Promise<void> {
    const text = `word-${++this.#words}`;
    const variables = {
      channel,
      data: { text, padding: this.#words % 3 === 0 ? LONG : '' },
      ephemeral,
      key: phone && text,
    };
    await this.#publish({ text, to: `channel:${channel}`, ephemeral, by: phone?.stream.bearer }, () =>
      phone ? phone.ask(PUBLISH, variables) : this.#signalbox.ask(PUBLISH, variables),
    );
  }

  async #whisperTo(to: 'token' | 'identity' | 'connection', name: string, ephemeral: boolean): Promise<void> {
    if (to === 'identity') {
      const isKnown = this.evening.bearers.some(({ identity }) => identity === name);
      return isKnown ? this.whisper(`identity:${name}`, { identity: name }, ephemeral) : undefined;
    }
    if (to === 'token') {
      const token = this.bearers.get(name)?.id;
      return token === undefined ? undefined : this.whisper(`token:${name}`, { token }, ephemeral);
    }
    const connection = this.phones.get(name)?.connection;
    return connection === undefined
      ? undefined
      : this.whisper(`connection:${connection}`, { connection }, true);
  }

  async whisper(to: Address, address: object, ephemeral: boolean, text = `word-${++this.#words}`) {
    const variables = { ...address, data: { text, padding: this.#words % 3 === 0 ? LONG : '' }, ephemeral };
    await this.#publish({ text, to, ephemeral, by: undefined }, () =>
      this.#signalbox.ask(WHISPER, variables),
    );
  }

  async #publish(
    what: { text: string; to: Address; ephemeral: boolean; by: string | undefined },
    ask: () => Promise<Answer & { isRepeated?: boolean }>,
  ): Promise<void> {
    const { value, span } = await this.timed(ask);
    const message = value.data?.receipt?.message;
    const code = value.errors?.[0]?.extensions['code'];
    if (message) this.evening.said.push({ ...what, ...span, outcome: 'KEPT', message });
    else if (typeof code === 'string' && !value.isRepeated) {
      this.evening.said.push({ ...what, ...span, outcome: 'REFUSED', code });
    } else this.evening.said.push({ ...what, sent: span.sent, returned: NEVER, outcome: 'UNKNOWN' });
  }

  async #move(act: Extract<Act, { do: 'join' | 'part' }>): Promise<void> {
    const { do: what, token, channel } = act;
    const bearer = this.bearers.get(token);
    const phone = act.phone === undefined ? undefined : this.phones.get(act.phone);
    if (!bearer || (phone && phone.stream.ended !== undefined)) return;
    const variables = { channel, token: bearer.id };
    const document = what === 'join' ? JOIN : PART;
    const { value, span } = await this.timed<Answer>(() =>
      phone ? phone.ask(document, variables) : this.#signalbox.ask(document, variables),
    );
    if (!phone && value.errors) this.#surprise(document, variables, value);
    // A token that expired while it asked may or may not have been heard.
    const happened = value.data ? span : { sent: span.sent, returned: NEVER };
    const stay = bearer.stays.findLast((other) => other.channel === channel && !other.ended);
    if (what === 'part' && stay) stay.ended = happened;
    if (what === 'join' && !stay) bearer.stays.push({ channel, began: happened, ended: undefined });
  }

  async #change(name: string, change: Partial<Pick<Regime, 'role' | 'grants' | 'expiresAt'>>): Promise<void> {
    const bearer = this.bearers.get(name);
    if (!bearer) return;
    const { expiresAt } = change;
    const input = { ...change, ...(expiresAt != null && { expiresAt: new Date(expiresAt) }) };
    const { span } = await this.timed(() => this.#mustAsk(CHANGE, { id: bearer.id, input }));
    bearer.regimes.push({ ...bearer.regimes.at(-1)!, ...change, from: span });
  }

  async #revoke(name: string): Promise<void> {
    const bearer = this.bearers.get(name);
    if (!bearer) return;
    const { span } = await this.timed(() => this.#mustAsk(REVOKE, { id: bearer.id }));
    bearer.regimes.push({ ...bearer.regimes.at(-1)!, from: span, ended: 'REVOKED' });
  }

  async #patch(channel: string, phone: Phone | undefined): Promise<void> {
    const key = `patch-${++this.#words}`;
    const variables = { channel, patch: { [key]: true } };
    const { value, span } = await this.timed<Answer>(() =>
      phone ? phone.ask(PATCH, variables) : this.#signalbox.ask(PATCH, variables),
    );
    const version = value.data?.patchChannelState?.version;
    if (version !== undefined) this.evening.patches.push({ channel, key, version, ...span });
    else if (!phone) this.#surprise(PATCH, variables, value);
  }

  async #isOnline(name: string): Promise<void> {
    const bearer = this.bearers.get(name);
    if (!bearer) return;
    const { value, span } = await this.timed(() =>
      this.#mustAsk('query ($t: ID!) { isOnline(token: $t) }', { t: bearer.id }),
    );
    this.evening.asked.push({ bearer: name, online: value.isOnline, ...span });
  }

  /** By the API key, where no refusal is in order. */
  async #mustAsk(query: string, variables: object): Promise<any> {
    const answer = await this.#signalbox.ask(query, variables);
    if (answer.errors) this.#surprise(query, variables, answer);
    return answer.data;
  }

  #surprise(query: string, variables: object, { errors }: Answer): void {
    this.evening.surprises.push(`${query} ${JSON.stringify(variables)}: ${JSON.stringify(errors)}`);
  }

  #later(work: Promise<unknown>): void {
    this.#pending.add(work);
    void work.finally(() => this.#pending.delete(work));
  }

  /** Resolves when nothing is under way any more. */
  async rest(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async timed<T>(work: () => Promise<T>): Promise<{ value: T; span: Span }> {
    const sent = this.now();
    const value = await work();
    return { value, span: { sent, returned: this.now() } };
  }

  now(): Moment {
    return this.evening.walls.push(Date.now()) - 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.phones.values()].map((phone) => phone[Symbol.asyncDispose]()));
  }
}
