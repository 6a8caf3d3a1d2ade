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

const PAYLOAD = 'payload-that-must-stay-secret';

/** Collects the texts that callers received over all transports. */
class Responses {
  readonly texts: string[] = [];

  async ask({ ask }: TestService, ...request: Parameters<TestService['ask']>): Promise<void> {
    const { errors } = await ask(...request);
    this.texts.push(JSON.stringify(errors ?? []));
  }

  async tryConnect(signalbox: TestService, payload: object): Promise<void> {
    using socket = await openSocket(signalbox);
    socket.send({ type: 'connection_init', payload });
    this.texts.push(JSON.stringify(await socket.closed));
  }
}

const PUBLISH = `mutation ($c: ID!, $e: String!, $d: JSON) { publishMessage(channel: $c, event: $e, data: $d) { connections } }`;
const REVOKE_KEY = 'mutation ($id: ID!) { revokeApiKey(id: $id) { id } }';

/** Uses the API, and sends every secret in every place that takes text, with and without success. */
async function useEverySecret(
  signalbox: TestService,
  responses: Responses,
): Promise<{ secrets: string[]; token: MintedToken }> {
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
    // A credential in the place of an id, a name, a document, a literal or a number.
    await responses.ask(signalbox, 'query ($t: ID!) { token(id: $t) { id } }', { t: text });
    await responses.ask(signalbox, PUBLISH, { c: text, e: 'x', d: PAYLOAD });
    await responses.ask(signalbox, PUBLISH, { c: text, e: 'x', d: PAYLOAD }, token.credential);
    await responses.ask(signalbox, PUBLISH, { c: 'news', e: text, d: PAYLOAD }, token.credential);
    await responses.ask(signalbox, text);
    await responses.ask(signalbox, `{ tokens(first: "${text}") { nodes { id } } }`);
    await responses.ask(signalbox, 'query ($n: Int) { tokens(first: $n) { nodes { id } } }', { n: text });
    await responses.ask(signalbox, `mutation ($c: String!) { reauthenticate(credential: $c) { kind } }`, {
      c: text,
    });
    await responses.ask(signalbox, '{ viewer { kind } }', {}, `${text}x`);
    await responses.tryConnect(signalbox, { token: `${text}x` });
    await responses.tryConnect(signalbox, { apiKey: `${text}x` });
    await responses.tryConnect(signalbox, { token: text, apiKey: text });
    await responses.tryConnect(signalbox, { project: text });
    responses.texts.push((await upgrade(signalbox, { path: `/graphql?token=${text}` })).body);
    responses.texts.push(await (await fetch(`${signalbox.url}/graphql?apiKey=${text}`)).text());
    responses.texts.push(await (await fetch(`${signalbox.url}/${text}`)).text());
  }
  await revokeToken(signalbox, revoked.id);
  await responses.tryConnect(signalbox, { token: revoked.credential });
  await responses.ask(signalbox, '{ viewer { kind } }', {}, revoked.credential);
  await request(REVOKE_KEY, { id: createApiKey.apiKey.id });
  await responses.ask(signalbox, '{ viewer { kind } }', {}, createApiKey.secret);
  await revokeToken(signalbox, token.id);
  responses.texts.push(JSON.stringify(await socket.closed));
  return { secrets, token };
}

test('no credential, key or payload appears in a log line, a metric, an error or a close reason', async () => {
  using folder = createFolder();
  const { logger, lines } = createLog();
  await using signalbox = await startService({ data: folder.path }, { logger, clock: createManualClock() });
  const responses = new Responses();
  const { secrets } = await useEverySecret(signalbox, responses);
  // An error of a write must not reveal the data that was being written.
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
      responses.texts.push(JSON.stringify(errors));
    }
  }
  expect(lines.filter((line) => line.includes('worn out'))).toHaveLength(9);

  const metrics = await (await fetch(`${signalbox.url}/metrics`)).text();
  expect(metrics).toContain('signalbox_refusals_total{code="UNAUTHENTICATED"}');
  const seen = { log: lines.join('\n'), metrics, responses: responses.texts.join('\n') };
  for (const [place, text] of Object.entries(seen)) {
    expect(text.length).toBeGreaterThan(1000);
    for (const secret of secrets) {
      // The secret part is the signature of a credential, and the second half of an API key.
      expect({ place, containsSecret: text.includes(secret.split('.').at(-1)!) }).toEqual({
        place,
        containsSecret: false,
      });
    }
    expect({ place, containsSecret: text.includes(PAYLOAD) }).toEqual({ place, containsSecret: false });
  }
});

test('the audit log contains the actor of every change and refusal', async () => {
  const { logger, audited } = createLog();
  await using signalbox = await startService({}, { logger });
  const { token } = await useEverySecret(signalbox, new Responses());
  const actor = 'key_test';
  const subject = token.id;
  const expected: Partial<AuditEntry>[] = [
    { action: 'token.create', actor, subject },
    { action: 'credential.create', actor, subject },
    { action: 'token.update', actor, subject },
    { action: 'token.revoke', actor, subject },
    { action: 'membership.subscribe', actor, subject, channel: 'news' },
    { action: 'channel.create', actor, subject: 'news' },
    { action: 'project.create', actor, subject: 'other' },
    { action: 'key.create', actor },
    { action: 'key.rotate', actor, subject: actor },
    { action: 'key.revoke', actor },
    // A refusal before authentication has no actor and no field.
    { action: 'refused', actor: subject, code: 'FORBIDDEN', field: 'publishMessage' },
    { action: 'refused', actor: 'anonymous', code: 'UNAUTHENTICATED' },
    { action: 'refused', actor: 'anonymous', code: 'TOKEN_REVOKED' },
  ];
  const entries = audited();
  for (const entry of expected) expect(entries).toContainEqual(expect.objectContaining(entry));
  for (const { projectId, actor: entryActor } of entries)
    expect(projectId === undefined).toBe(entryActor === 'anonymous');
});
