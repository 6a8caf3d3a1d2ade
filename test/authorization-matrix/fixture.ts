import { createChannel, mint } from '../support/backend.ts';
import { createManualClock, type ManualClock } from '../support/clock.ts';
import { startService, type ServiceClient, type TestService } from '../support/service.ts';
import { connectSocket, type RawSocket } from '../support/socket.ts';
import { CHANNELS, ACCEPTED_CALLERS, type AcceptedName, type RejectedName } from './callers.ts';
import { type Call, type Placeholder } from './calls.ts';
import { createCredentials, externalCredential, type PresentedCredential } from './credentials.ts';

/** A service with three projects, three channels, and the credentials of all callers. */
export interface Fixture extends AsyncDisposable {
  readonly signalbox: TestService;
  readonly clock: ManualClock;
  readonly credentials: Readonly<Record<AcceptedName | RejectedName, PresentedCredential>>;
  /** The arguments of a call, with all placeholders replaced. `sparePool` provides the values that belong to no caller. */
  argsOf(call: Call, channel: string, caller: PresentedCredential, sparePool: SparePool): Promise<object>;
}

const OPEN = { guests: true, developmentTokens: true, publishersSignal: true };
const NO_LIMITS = { connectsPerSecond: 1e6, guestsPerSecond: 1e6, publishesPerSecondPerToken: 1e6 };

export async function createFixture(): Promise<Fixture> {
  const clock = createManualClock();
  const signalbox = await startService(NO_LIMITS, { clock });
  const { createProject } = await signalbox.request(
    'mutation { createProject(input: { id: "other" }) { secret } third: createProject(input: { id: "third" }) { secret } }',
  );
  const other: ServiceClient = {
    ...signalbox,
    request: (query, variables) => signalbox.request(query, variables, createProject.secret),
  };
  for (const { request } of [signalbox, other]) {
    await request('mutation ($s: ProjectSettingsInput!) { updateProject(settings: $s) { id } }', { s: OPEN });
  }
  for (const [channel, type] of Object.entries({ square: 'UNPROTECTED', room: 'PUBLIC', den: 'PRIVATE' })) {
    await createChannel(signalbox, channel, { type, state: { topic: 'one' } });
  }
  const credentials = await createCredentials(signalbox, clock, other);
  for (const name of Object.keys(ACCEPTED_CALLERS) as AcceptedName[]) {
    const { bearer, token } = credentials[name];
    if (ACCEPTED_CALLERS[name].kind !== 'TOKEN' || token !== undefined) continue;
    const { viewer } = await signalbox.request('{ viewer { token { id } } }', {}, bearer);
    credentials[name].token = viewer.token.id;
  }

  return {
    signalbox,
    clock,
    credentials,
    async argsOf({ args }, channel, caller, sparePool) {
      const self = credentials['a publisher'];
      const values: Partial<Record<Placeholder, string>> = {
        '<targetChannel>': channel,
        '<self>': self.token!,
        '<own>': caller.token ?? self.token!,
        '<credential>': self.bearer!,
      };
      let text = JSON.stringify(args);
      for (const placeholder of new Set(text.match(/<\w+>/g) as Placeholder[] | null)) {
        text = text.replaceAll(placeholder, values[placeholder] ?? (await sparePool.get(placeholder)));
      }
      return JSON.parse(text) as object;
    },
    [Symbol.asyncDispose]: () => signalbox[Symbol.asyncDispose](),
  };
}

const EVENTS = `subscription { events(presence: true) {
  __typename ... on Connected { connection { id } } ... on DirectMessage { message { event } }
} }`;
const PRESENT_MEMBERS = `query ($c: ID!) { channel(id: $c) { presence { members { nodes { token } } } } }`;

let names = 0;

/**
 * Tokens, channels and keys that belong to no caller of the matrix, created on first use. Disposing closes the connection of
 * the bystander.
 */
export class SparePool implements Disposable {
  readonly #fixture: Fixture;
  readonly #created = new Map<string, Promise<any>>();
  #socket: RawSocket | undefined;

  constructor(fixture: Fixture) {
    this.#fixture = fixture;
  }

  async get(placeholder: Placeholder): Promise<string> {
    if (placeholder === '<name>') return `name${++names}`;
    const [factory, field] = SOURCES[placeholder] ?? [];
    if (factory === undefined || field === undefined)
      throw new TypeError(`SparePool has no factory for ${placeholder}.`);
    return (await this.#create(factory))[field];
  }

  /** The next event of the bystander's connection. */
  async nextEvent(): Promise<any> {
    await this.#create('bystander');
    return (await this.#socket!.next()).payload.data.events;
  }

  #create(factory: keyof typeof FACTORIES): Promise<any> {
    const known = this.#created.get(factory);
    if (known) return known;
    const created = FACTORIES[factory](this.#fixture.signalbox, (socket) => (this.#socket = socket));
    this.#created.set(factory, created);
    return created;
  }

  [Symbol.dispose](): void {
    this.#socket?.[Symbol.dispose]();
  }
}

const SOURCES: Partial<Record<Placeholder, [keyof typeof FACTORIES, string]>> = {
  '<token>': ['bystander', 'token'],
  '<identity>': ['bystander', 'identity'],
  '<connection>': ['bystander', 'connection'],
  '<channel>': ['channel', 'id'],
  '<apiKey>': ['apiKey', 'id'],
  '<operatorKey>': ['operatorKey', 'id'],
  '<issuer>': ['issuer', 'id'],
  '<issuerKey>': ['issuer', 'key'],
};

const FACTORIES = {
  /** A connected member of all channels, which receives every event. */
  async bystander(signalbox: TestService, keepSocket: (socket: RawSocket) => void) {
    const identity = `bystander${++names}`;
    const { id: token, credential } = await mint(signalbox, { identity, channels: CHANNELS });
    const socket = await connectSocket(signalbox, { token: credential });
    keepSocket(socket);
    socket.send({ id: 'events', type: 'subscribe', payload: { query: EVENTS } });
    const { id } = (await socket.next()).payload.data.events.connection;
    for (const c of CHANNELS) {
      const isPresent = async () =>
        (await signalbox.request(PRESENT_MEMBERS, { c })).channel.presence.members.nodes.some(
          (member: { token: string }) => member.token === token,
        );
      while (!(await isPresent()));
    }
    return { token, identity, connection: id };
  },
  channel: async ({ request }: ServiceClient) =>
    (await request('mutation { createChannel(input: { type: PUBLIC }) { id } }')).createChannel,
  apiKey: async ({ request }: ServiceClient) =>
    (await request('mutation { createApiKey { apiKey { id } } }')).createApiKey.apiKey,
  operatorKey: async ({ request }: ServiceClient) =>
    (await request('mutation { rotateApiKey(id: "key_test") { apiKey { id } } }')).rotateApiKey.apiKey,
  async issuer({ request }: ServiceClient) {
    const key = `key${++names}`;
    const { createIssuer } = await request(
      'mutation ($k: IssuerKeyInput!) { createIssuer(input: { kind: SIGNALBOX, key: $k }) { id } }',
      { k: { id: key, secret: 'a secret that has 32 bytes or more' } },
    );
    // Create a token of the issuer by using a credential of its key.
    await request('{ viewer { kind } }', {}, externalCredential(key, { sub: `user${++names}` }));
    return { id: createIssuer.id as string, key };
  },
};
