import { createChannel, mint } from '../support/backend.ts';
import { createManualClock, type ManualClock } from '../support/clock.ts';
import { startService, type ServiceClient, type TestService } from '../support/service.ts';
import { connectSocket, type RawSocket } from '../support/socket.ts';
import { PLACES, KNOWN, type KnownName, type StrangerName } from './callers.ts';
import { type Call, type Prop } from './calls.ts';
import { cast, selfMinted, type Presented } from './credentials.ts';

/** Two projects and a third, three channels, and everybody with what they present. */
export interface Stage extends AsyncDisposable {
  readonly signalbox: TestService;
  readonly clock: ManualClock;
  readonly presented: Readonly<Record<KnownName | StrangerName, Presented>>;
  /** What a call is given. What is somebody else’s comes from `spare`. */
  argsOf(call: Call, place: string, caller: Presented, spare: Spare): Promise<object>;
}

const OPEN = { guests: true, developmentTokens: true, publishersSignal: true };
const NO_LIMITS = { connectsPerSecond: 1e6, guestsPerSecond: 1e6, publishesPerSecondPerToken: 1e6 };

export async function openStage(): Promise<Stage> {
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
  for (const [place, type] of Object.entries({ square: 'UNPROTECTED', room: 'PUBLIC', den: 'PRIVATE' })) {
    await createChannel(signalbox, place, { type, state: { topic: 'one' } });
  }
  const presented = await cast(signalbox, clock, other);
  for (const name of Object.keys(KNOWN) as KnownName[]) {
    const { bearer, token } = presented[name];
    if (KNOWN[name].kind !== 'TOKEN' || token !== undefined) continue;
    const { viewer } = await signalbox.request('{ viewer { token { id } } }', {}, bearer);
    presented[name].token = viewer.token.id;
  }

  return {
    signalbox,
    clock,
    presented,
    async argsOf({ args }, place, caller, spare) {
      const self = presented['a publisher'];
      const given: Partial<Record<Prop, string>> = {
        '<place>': place,
        '<self>': self.token!,
        '<own>': caller.token ?? self.token!,
        '<credential>': self.bearer!,
      };
      let text = JSON.stringify(args);
      for (const prop of new Set(text.match(/<\w+>/g) as Prop[] | null)) {
        text = text.replaceAll(prop, given[prop] ?? (await spare.get(prop)));
      }
      return JSON.parse(text) as object;
    },
    [Symbol.asyncDispose]: () => signalbox[Symbol.asyncDispose](),
  };
}

const EVENTS = `subscription { events(presence: true) {
  __typename ... on Connected { connection { id } } ... on DirectMessage { message { event } }
} }`;
const PRESENT = `query ($c: ID!) { channel(id: $c) { presence { members { nodes { token } } } } }`;

let names = 0;

/** What nobody but the operator has to do with, each made when it is first asked for. Disposing cuts its connection. */
export class Spare implements Disposable {
  readonly #stage: Stage;
  readonly #made = new Map<string, Promise<any>>();
  #socket: RawSocket | undefined;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async get(prop: Prop): Promise<string> {
    if (prop === '<name>') return `name${++names}`;
    const [what, field] = KEYS[prop] ?? [];
    if (what === undefined || field === undefined) throw new TypeError(`${prop} is nothing to spare.`);
    return (await this.#make(what))[field];
  }

  /** The next event that the connection hears. */
  async nextEvent(): Promise<any> {
    await this.#make('bystander');
    return (await this.#socket!.next()).payload.data.events;
  }

  #make(what: keyof typeof MAKERS): Promise<any> {
    const known = this.#made.get(what);
    if (known) return known;
    const made = MAKERS[what](this.#stage.signalbox, (socket) => (this.#socket = socket));
    this.#made.set(what, made);
    return made;
  }

  [Symbol.dispose](): void {
    this.#socket?.[Symbol.dispose]();
  }
}

const KEYS: Partial<Record<Prop, [keyof typeof MAKERS, string]>> = {
  '<token>': ['bystander', 'token'],
  '<identity>': ['bystander', 'identity'],
  '<connection>': ['bystander', 'connection'],
  '<channel>': ['channel', 'id'],
  '<apiKey>': ['apiKey', 'id'],
  '<operatorKey>': ['operatorKey', 'id'],
  '<issuer>': ['issuer', 'id'],
  '<issuerKey>': ['issuer', 'key'],
};

const MAKERS = {
  /** A member of all channels, who is there and hears everything. */
  async bystander(signalbox: TestService, keep: (socket: RawSocket) => void) {
    const identity = `bystander${++names}`;
    const { id: token, credential } = await mint(signalbox, { identity, channels: PLACES });
    const socket = await connectSocket(signalbox, { token: credential });
    keep(socket);
    socket.send({ id: 'events', type: 'subscribe', payload: { query: EVENTS } });
    const { id } = (await socket.next()).payload.data.events.connection;
    for (const c of PLACES) {
      const isThere = async () =>
        (await signalbox.request(PRESENT, { c })).channel.presence.members.nodes.some(
          (member: { token: string }) => member.token === token,
        );
      while (!(await isThere()));
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
    // Somebody who came with it.
    await request('{ viewer { kind } }', {}, selfMinted(key, { sub: `user${++names}` }));
    return { id: createIssuer.id as string, key };
  },
};
