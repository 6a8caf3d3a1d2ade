import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { type AuditEntry } from '../../src/audit.ts';
import { createChannel, mint, revokeToken, subscribeToken, type MintedToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { createFolder } from '../support/folder.ts';
import { createLog } from '../support/log.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';
import { connectSocket, openSocket, upgrade } from '../support/socket.ts';
import { askEachTransport } from '../support/transports.ts';

const PAYLOAD = 'payload-that-is-nobodys-business';

/** What a caller was told, by whichever door. */
class Told {
  readonly texts: string[] = [];

  async ask({ ask }: TestService, ...request: Parameters<TestService['ask']>): Promise<void> {
    const { errors } = await ask(...request);
    this.texts.push(JSON.stringify(errors ?? []));
  }

  async knock(signalbox: TestService, payload: object): Promise<void> {
    using socket = await openSocket(signalbox);
    socket.send({ type: 'connection_init', payload });
    this.texts.push(JSON.stringify(await socket.closed));
  }
}

const PUBLISH = `mutation ($c: ID!, $e: String!, $d: JSON) { publishMessage(channel: $c, event: $e, data: $d) { connections } }`;
const REVOKE_KEY = 'mutation ($id: ID!) { revokeApiKey(id: $id) { id } }';

/** Does what can be done, and what cannot, with every secret there is in every place there is for it. */
async function tour(signalbox: TestService, told: Told): Promise<{ secrets: string[]; token: MintedToken }> {
  const { request } = signalbox;
  const state = { note: PAYLOAD };
  await createChannel(signalbox, 'news', { type: 'PUBLIC', state });
  const token = await mint(signalbox, { identity: 'ada', state, connectionData: PAYLOAD, expiresIn: 600 });
  const revoked = await mint(signalbox);
  const { createApiKey, rotateApiKey } = await request(
    `mutation { createApiKey { apiKey { id } secret } rotateApiKey(id: "key_test") { secret } }`,
  );
  const { createProject } = await request(`mutation { createProject(input: { id: "other" }) { secret } }`);
  const { createCredential } = await request(
    `mutation ($t: ID!) { createCredential(token: $t) { credential } }`,
    {
      t: token.id,
    },
  );

  await subscribeToken(signalbox, 'news', token.id);
  using socket = await connectSocket(signalbox, { token: token.credential });
  socket.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { events { __typename } }' } });
  await socket.next();
  await request(PUBLISH, { c: 'news', e: 'said', d: PAYLOAD }, token.credential);
  await request(`mutation ($s: JSON!) { setChannelState(channel: "news", state: $s) { version } }`, {
    s: state,
  });
  await request(`mutation ($id: ID!, $s: JSON!) { updateToken(id: $id, input: { state: $s }) { id } }`, {
    id: token.id,
    s: state,
  });
  const query = 'mutation ($c: String!) { reauthenticate(credential: $c) { kind } }';
  socket.send({
    id: '2',
    type: 'subscribe',
    payload: { query, variables: { c: createCredential.credential } },
  });

  const secrets = [
    API_KEY,
    ...[createApiKey, rotateApiKey, createProject].map(({ secret }) => secret),
    ...[token, revoked, createCredential].map(({ credential }) => credential),
  ] as string[];
  for (const text of secrets) {
    // A credential where an id, a name, a document, a literal or a number belongs.
    await told.ask(signalbox, 'query ($t: ID!) { token(id: $t) { id } }', { t: text });
    await told.ask(signalbox, PUBLISH, { c: text, e: 'x', d: PAYLOAD });
    await told.ask(signalbox, PUBLISH, { c: text, e: 'x', d: PAYLOAD }, token.credential);
    await told.ask(signalbox, PUBLISH, { c: 'news', e: text, d: PAYLOAD }, token.credential);
    await told.ask(signalbox, text);
    await told.ask(signalbox, `{ tokens(first: "${text}") { nodes { id } } }`);
    await told.ask(signalbox, 'query ($n: Int) { tokens(first: $n) { nodes { id } } }', { n: text });
    await told.ask(signalbox, `mutation ($c: String!) { reauthenticate(credential: $c) { kind } }`, {
      c: text,
    });
    await told.ask(signalbox, '{ viewer { kind } }', {}, `${text}x`);
    await told.knock(signalbox, { token: `${text}x` });
    await told.knock(signalbox, { apiKey: `${text}x` });
    await told.knock(signalbox, { token: text, apiKey: text });
    await told.knock(signalbox, { project: text });
    told.texts.push((await upgrade(signalbox, { path: `/graphql?token=${text}` })).body);
    told.texts.push(await (await fetch(`${signalbox.url}/graphql?apiKey=${text}`)).text());
    told.texts.push(await (await fetch(`${signalbox.url}/${text}`)).text());
  }
  await revokeToken(signalbox, revoked.id);
  await told.knock(signalbox, { token: revoked.credential });
  await told.ask(signalbox, '{ viewer { kind } }', {}, revoked.credential);
  await request(REVOKE_KEY, { id: createApiKey.apiKey.id });
  await told.ask(signalbox, '{ viewer { kind } }', {}, createApiKey.secret);
  await revokeToken(signalbox, token.id);
  told.texts.push(JSON.stringify(await socket.closed));
  return { secrets, token };
}

test('no credential, key or payload is in a log line, a metric, an error or a close', async () => {
  using folder = createFolder();
  const { logger, lines } = createLog();
  await using signalbox = await startService({ data: folder.path }, { logger, clock: createManualClock() });
  const told = new Told();
  const { secrets } = await tour(signalbox, told);
  // A fault in the middle of writing must not bring what was being written to light.
  const sqlite = new Database(`${folder.path}/signalbox.sqlite`);
  for (const table of ['tokens', 'messages', 'channels']) {
    sqlite.exec(
      `CREATE TRIGGER no_${table} BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'worn out'); END`,
    );
  }
  sqlite.close();
  for (const query of [
    `mutation ($d: JSON) { createToken(input: { state: $d, connectionData: "${PAYLOAD}" }) { credential } }`,
    `mutation ($d: JSON) { publishMessage(channel: "news", event: "e", data: $d) { connections } }`,
    `mutation ($d: JSON) { createChannel(input: { state: $d }) { id } }`,
  ]) {
    const variables = { d: { note: PAYLOAD } };
    for (const { errors } of Object.values(
      await askEachTransport(signalbox, API_KEY, { query, variables }),
    )) {
      expect(errors?.[0]?.extensions['errorId']).toMatch(/^err_/);
      told.texts.push(JSON.stringify(errors));
    }
  }
  expect(lines.filter((line) => line.includes('worn out'))).toHaveLength(9);

  const metrics = await (await fetch(`${signalbox.url}/metrics`)).text();
  expect(metrics).toContain('signalbox_refusals_total{code="UNAUTHENTICATED"}');
  const seen = { log: lines.join('\n'), metrics, told: told.texts.join('\n') };
  for (const [where, text] of Object.entries(seen)) {
    expect(text.length).toBeGreaterThan(1000);
    for (const secret of secrets) {
      // Of a credential the signature alone would do harm; of an API key its secret half.
      expect({ where, holds: text.includes(secret.split('.').at(-1)!) }).toEqual({ where, holds: false });
    }
    expect({ where, holds: text.includes(PAYLOAD) }).toEqual({ where, holds: false });
  }
});

test('who minted, revoked, subscribed and was refused is in the audit log', async () => {
  const { logger, audited } = createLog();
  await using signalbox = await startService({}, { logger });
  const { token } = await tour(signalbox, new Told());
  const actor = 'key_test';
  const subject = token.id;
  const expected: Partial<AuditEntry>[] = [
    { action: 'token.create', actor, subject },
    { action: 'token.mint', actor, subject },
    { action: 'token.update', actor, subject },
    { action: 'token.revoke', actor, subject },
    { action: 'membership.subscribe', actor, subject, channel: 'news' },
    { action: 'channel.create', actor, subject: 'news' },
    { action: 'project.create', actor, subject: 'other' },
    { action: 'key.create', actor },
    { action: 'key.rotate', actor, subject: actor },
    { action: 'key.revoke', actor },
    // By whom it is known who asks, and what for; by others only that they did.
    { action: 'refused', actor: subject, code: 'FORBIDDEN', field: 'publishMessage' },
    { action: 'refused', actor: 'anonymous', code: 'UNAUTHENTICATED' },
    { action: 'refused', actor: 'anonymous', code: 'TOKEN_REVOKED' },
  ];
  const entries = audited();
  for (const entry of expected) expect(entries).toContainEqual(expect.objectContaining(entry));
  for (const { projectId, actor: who } of entries) expect(projectId === undefined).toBe(who === 'anonymous');
});
