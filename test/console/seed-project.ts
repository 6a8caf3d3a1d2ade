import { type TestService } from '../support/service.ts';

/** A small project that looks like one in use. */
export interface SeededProject {
  /** The id of a token that is online and muted. */
  readonly token: string;
  /** Publishes a few messages each second. */
  use(seconds: number): Promise<void>;
  stop(): Promise<void>;
}

const NAMES = ['ada', 'grace', 'alan', 'edsger', 'barbara', 'donald'];
const LINES = [
  'Good morning.',
  'The train to the coast leaves at nine.',
  'Platform two, please.',
  'On my way.',
];

/** Creates channels, tokens, connections, messages, restrictions, an issuer and keys. */
export async function seedProject({ request, client }: TestService): Promise<SeededProject> {
  await request(`mutation {
    a: createChannel(input: { id: "room:1", state: { topic: "Timetable", open: true } }) { id }
    b: createChannel(input: { id: "room:2" }) { id }
    c: createChannel(input: { id: "lobby", type: PUBLIC, history: { messages: 500, seconds: 86400 } }) { id }
    d: createChannel(input: { id: "departures", type: UNPROTECTED }) { id }
  }`);
  const tokens: { id: string; stop(): void }[] = [];
  for (const [index, identity] of NAMES.entries()) {
    const { createToken } = await request(
      `mutation ($input: CreateTokenInput) { createToken(input: $input) { token { id } credential } }`,
      {
        input: {
          identity,
          channels: index % 2 === 0 ? ['room:1', 'lobby'] : ['lobby'],
          expiresIn: 86_400,
          ...(index === 3 && { role: 'GUEST' }),
          ...(index === 4 && {
            grants: ['room:*', 'lobby'].map((channels) => ({ channels, actions: ['SUBSCRIBE'] })),
          }),
        },
      },
    );
    const connection = client({ token: createToken.credential });
    if (index !== 5) await connection.iterate({ query: 'subscription { events { __typename } }' }).next();
    tokens.push({ id: createToken.token.id, stop: () => void connection.dispose() });
  }
  const [ada, grace] = tokens;
  await request(
    `mutation ($ada: ID!, $grace: ID!) {
      a: mute(channel: "room:1", token: $ada, reason: "Please stay on topic.", until: "2030-01-01T00:00:00Z") { id }
      b: ban(channel: "room:2", token: $grace) { id }
      c: revokeTokens(identity: "mallory") { connections }
      d: createApiKey(name: "chat backend", scopes: [READ, PUBLISH], channels: "room:*") { secret }
      e: createIssuer(input: { kind: STREAM, name: "The old chat", key: { id: "x7kqd2", secret: "a-secret-that-is-long-enough-for-stream" } }) { id }
      f: createIssuer(input: { kind: JWKS, name: "Company login", provider: {
        issuer: "https://login.example.com/", url: "https://login.example.com/keys", audience: "chat", claims: { role: "/realm_access/role" }
      } }) { id }
      g: updateProject(settings: { permissions: { roles: [{ name: "host", like: MODERATOR }] } }) { id }
    }`,
    { ada: ada!.id, grace: grace!.id },
  );
  let published = 0;
  return {
    token: ada!.id,
    async use(seconds) {
      for (let step = 0; step < seconds * 2; step++) {
        for (let message = 0; message <= step % 4; message++)
          await request(
            `mutation ($channel: ID!, $data: JSON) { publishMessage(channel: $channel, event: "message", data: $data) { connections } }`,
            {
              channel: published % 3 === 0 ? 'lobby' : 'room:1',
              data: { text: LINES[published++ % LINES.length] },
            },
          );
        if (step % 10 === 9)
          await request(`query { channel(id: "no-such-channel") { id } }`).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    },
    async stop() {
      for (const { stop } of tokens) stop();
    },
  };
}
