import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { OPENTOK, STREAM } from '../support/external-credentials.ts';
import { ADD_KEY, CREATE_ISSUER, listIssuers } from '../support/issuer-management.ts';
import { hasPostgres, sharedPostgres, type PostgresServer } from '../support/postgres.ts';
import { numbers } from '../support/publish.ts';
import { startServiceOnPostgres, type ServiceClient, type TestService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

/** Each round failed almost always before changes of two nodes were kept apart. */
const ROUNDS = 3;
const MAX_MEMBERSHIPS = 2;
const MAX_CONNECTIONS = 1;

let server: PostgresServer;
let url: string;
const nodes: TestService[] = [];

beforeAll(async () => {
  if (!hasPostgres) return;
  server = await sharedPostgres();
  url = await server.createDatabase();
  const config = { maxMembershipsPerToken: MAX_MEMBERSHIPS, maxConnectionsPerToken: MAX_CONNECTIONS };
  for (let n = 0; n < 2; n++) nodes.push(await startServiceOnPostgres(url, config));
  for (const channel of ['a', 'b', 'c']) await createChannel(nodes[0]!, channel);
});

afterAll(async () => {
  for (const node of nodes) await node[Symbol.asyncDispose]();
});

/** Executes the same on both nodes at once, `times` times on each. Returns the codes of the errors, or `done`, sorted. */
async function onBoth(
  work: (node: ServiceClient, index: number) => ReturnType<ServiceClient['ask']>,
  times = 1,
): Promise<unknown[]> {
  const answers = await Promise.all(
    numbers(times).flatMap((n) => nodes.map((node, index) => work(node, n * nodes.length + index))),
  );
  return answers.map(({ errors }) => errors?.[0]?.extensions['code'] ?? 'done').sort();
}

const REMOVE_ISSUER = 'mutation ($id: ID!) { removeIssuer(issuer: $id) { id } }';
const count = async (table: string, condition: string) =>
  Number((await server.query(url, `select count(*) from ${table} where ${condition}`))[0].count);

test.skipIf(!hasPostgres)(
  'of two nodes that create the STREAM issuer of a project at the same moment, one is refused',
  async () => {
    for (const _ of numbers(ROUNDS)) {
      expect(await onBoth((node) => node.ask(CREATE_ISSUER, { input: STREAM }))).toEqual([
        'CONFLICT',
        'done',
      ]);
      const [issuer] = await listIssuers(nodes[0]!);
      await nodes[0]!.request(REMOVE_ISSUER, { id: issuer.id });
    }
  },
);

test.skipIf(!hasPostgres)(
  'two nodes together accept no key twice, no 21st key of an issuer and no 51st issuer of a project',
  async () => {
    const [node] = nodes as [TestService];
    const input = (name: string) => ({ ...OPENTOK, key: { id: name, secret: 's' } });
    const first = (await node.request(CREATE_ISSUER, { input: input('k0') })).createIssuer.id as string;
    const second = (await node.request(CREATE_ISSUER, { input: input('l0') })).createIssuer.id as string;
    const add = (target: ServiceClient, i: string, id: string) =>
      target.ask(ADD_KEY, { i, key: { id, secret: 's' } });
    for (const n of numbers(ROUNDS))
      expect(await onBoth((target, index) => add(target, index === 0 ? first : second, `same-${n}`))).toEqual(
        ['CONFLICT', 'done'],
      );
    await server.query(
      url,
      `insert into issuer_keys (project_id, issuer_id, id, sealed_secret, created_at)
       select 'default', '${first}', 'more-' || n, '', 1
       from generate_series(1, 19 - (select count(*)::int from issuer_keys where issuer_id = '${first}')) n`,
    );
    expect(await onBoth((target, index) => add(target, first, `last-${index}`), 2)).toEqual([
      'LIMIT_EXCEEDED',
      'LIMIT_EXCEEDED',
      'LIMIT_EXCEEDED',
      'done',
    ]);

    const create = (target: ServiceClient, name: string) => target.ask(CREATE_ISSUER, { input: input(name) });
    await server.query(
      url,
      `insert into issuers (id, project_id, kind, name, created_at)
       select 'issuer_' || n, 'default', 'OPENTOK', 'one', 1 from generate_series(1, 47) n`,
    );
    expect(await onBoth((target, index) => create(target, `last-issuer-${index}`))).toEqual([
      'LIMIT_EXCEEDED',
      'done',
    ]);
    expect(await listIssuers(node)).toHaveLength(50);
  },
);

test.skipIf(!hasPostgres)(
  'two nodes together begin no more memberships of a token than allowed',
  async () => {
    for (const _ of numbers(ROUNDS)) {
      const token = await mint(nodes[0]!, { channels: ['a'] });
      const subscribe = (node: ServiceClient, index: number) =>
        node.ask('mutation ($c: ID!, $t: ID!) { subscribeToken(channel: $c, token: $t) { createdAt } }', {
          c: index === 0 ? 'b' : 'c',
          t: token.id,
        });
      expect(await onBoth(subscribe)).toEqual(['LIMIT_EXCEEDED', 'done']);
      expect(await count('memberships', `token_id = '${token.id}'`)).toBe(MAX_MEMBERSHIPS);
    }
    for (const node of nodes) expect((await fetch(`${node.url}/ready`)).status).toBe(200);
  },
);

test.skipIf(!hasPostgres)('two nodes together mute and ban one identity at most 100 times', async () => {
  for (const round of numbers(ROUNDS)) {
    const identity = `eve-${round}`;
    await server.query(
      url,
      `insert into restrictions (id, project_id, kind, subject, channel_id, created_at)
       select '${identity}-' || n, 'default', 'BAN', 'identity:${identity}', 'room-' || n, 1 from generate_series(1, 99) n`,
    );
    const ban = (node: ServiceClient, index: number) =>
      node.ask('mutation ($i: String!, $c: ID!) { ban(identity: $i, channel: $c) { id } }', {
        i: identity,
        c: 'abc'[index],
      });
    expect(await onBoth(ban)).toEqual(['LIMIT_EXCEEDED', 'done']);
    expect(await count('restrictions', `subject = 'identity:${identity}'`)).toBe(100);
  }
});

test.skipIf(!hasPostgres)('two nodes together hold no more connections of a token than allowed', async () => {
  // Neither node sees the row of the other one when it counts.
  await server.query(
    url,
    `create function commit_late() returns trigger language plpgsql as $$ begin perform pg_sleep(0.2); return null; end $$;
     create constraint trigger commit_late after insert on present deferrable initially deferred
       for each row execute function commit_late()`,
  );
  for (const _ of numbers(ROUNDS)) {
    const { id, credential } = await mint(nodes[0]!);
    const opening = Promise.allSettled(nodes.map((node) => connectSocket(node, { token: credential })));
    const sockets = (await opening).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(sockets.length).toBeLessThanOrEqual(MAX_CONNECTIONS);
    await expect.poll(() => count('present', `token_id = '${id}'`)).toBe(sockets.length);
    for (const socket of sockets) socket[Symbol.dispose]();
  }
});
