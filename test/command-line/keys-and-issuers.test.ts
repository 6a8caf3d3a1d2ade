import { afterAll, beforeAll, expect, test } from 'vitest';
import { roundTrip } from '../support/backend.ts';
import { read } from '../support/documents.ts';
import { createLineRunner } from '../support/command-line-program.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const { run, json, one } = createLineRunner(() => service);

test('manages API keys and issuers, and tests a credential of an issuer', async () => {
  const { apiKey, secret } = await one(
    'keys create --name reports --scope read --scope publish --channels news:*',
  );
  expect(apiKey).toMatchObject({ name: 'reports', scopes: ['READ', 'PUBLISH'], channels: 'news:*' });
  expect(secret).toMatch(`${apiKey.id}.`);
  expect((await json('keys list')).map(({ id }) => id)).toContain(apiKey.id);
  expect(JSON.stringify(await json('keys list'))).not.toContain(secret);
  const successor = await one(`keys rotate ${apiKey.id} --overlap 0s`);
  expect(await run(`keys revoke ${successor.apiKey.id}`)).toMatchObject({ code: 0 });
  expect(await run('token list', { env: { SIGNALBOX_API_KEY: successor.secret } })).toMatchObject({
    code: 3,
  });

  const input = 'the secret of a Stream app\n';
  expect(await json('issuer add stream --key app --secret -', { input })).toMatchObject([
    { kind: 'STREAM', keys: [{ id: 'app' }] },
  ]);
  const [{ id: issuer }] = await json('issuer list');
  await run(`issuer add-key ${issuer} --key next --secret -`, { input });
  expect(await json(`issuer remove-key ${issuer} app --overlap 0s`)).toMatchObject([
    { keys: [{ id: 'next' }] },
  ]);
  expect(await run(`issuer remove ${issuer}`)).toMatchObject({ code: 0, lines: [`Removed ${issuer}.`] });
  expect(await json('issuer list')).toEqual([]);
  expect(await run('keys rotate-signing --overlap 1h')).toMatchObject({ code: 0 });
  const { credential } = await one('token create --identity eve');
  expect(await json('issuer test', { input: credential })).toMatchObject([{ token: { identity: 'eve' } }]);
  const foreign = `${credential.split('.').slice(0, 2).join('.')}.AAAA`;
  const refused = await run('issuer test -', { input: foreign });
  expect(refused).toMatchObject({ code: 3, lines: [] });
  expect(refused.notes.join()).not.toContain('eyJ');
});

test('adds an OpenID provider with all its properties, and changes only those that are given', async () => {
  const claims = { identity: 'oid', audience: 'azp', role: '/realm_access/role', grants: null };
  const [created] = await json(
    'issuer add jwks --name Login --iss https://login.example.com/ --jwks https://192.0.2.1/keys --audience web --audience app --algorithm es256 --algorithm eddsa --claim identity=oid --claim audience=azp --claim role=/realm_access/role',
  );
  const provider = { audiences: ['web', 'app'], algorithms: ['ES256', 'EdDSA'], claims };
  expect(created).toMatchObject({ name: 'Login', provider });
  const update = `issuer update ${created.id}`;
  expect(await json(`${update} --audience web --name Company`)).toMatchObject([
    { id: created.id, name: 'Company', provider: { ...provider, audiences: ['web'] } },
  ]);
  expect(await json(`${update} --claim role=roles --jwks https://192.0.2.2/keys`)).toMatchObject([
    {
      provider: {
        url: 'https://192.0.2.2/keys',
        claims: { identity: 'sub', audience: 'aud', role: 'roles' },
      },
    },
  ]);
  await run(`issuer remove ${created.id}`);
  const input = 'the secret of a Twilio app';
  const twilio = 'issuer add twilio --account AC1 --service IS1 --key SK1 --secret -';
  const [{ id, service: sid }] = await json(twilio, { input });
  expect(sid).toBe('IS1');
  expect(await json(`issuer update ${id} --no-service`)).toMatchObject([{ service: null }]);
  await run(`issuer remove ${id}`);
});

test('the operator creates projects and keys of them, and reseals the secrets', async () => {
  expect(await one('project create second --name Second')).toMatchObject({ project: { id: 'second' } });
  expect(await json('project list')).toMatchObject([{ id: 'default' }, { id: 'second', name: 'Second' }]);
  await run('channel create first:1');
  const { secret } = await one('keys create --project second --scope read');
  const env = { SIGNALBOX_API_KEY: secret };
  expect(await json('channel list', { env })).toEqual([]);
  expect(await run('project list', { env })).toMatchObject({ code: 3, lines: [] });
  expect((await run('keys reseal')).lines).toEqual(['0 secrets were sealed under another master key.']);
});

test('a key with the scope READ lists and shows, and every other command, one for each mutation of a backend, is refused with exit code 3', async () => {
  await run('channel create read:1');
  const { token } = await one('token create --identity reader --channel read:1');
  const id = token.id as string;
  const { apiKey, secret } = await one('keys create --scope read');
  const [{ id: issuer }] = await json('issuer add stream --key read --secret -', {
    input: 'a secret of Stream',
  });
  const permitted = [
    ...['token list', `token show ${id}`, 'channel list', 'channel show read:1', 'channel state read:1'],
    ...[`online --token ${id}`, 'presence read:1', 'stats', 'issuer list'],
    ...['connections', 'restrictions', 'revocation list', 'project settings'],
    `explain --token ${id} --channel read:1 --action subscribe`,
  ];
  const refused = [
    ...['token create', `token update ${id} --role guest`, `token revoke ${id}`, `token renew ${id}`],
    ...['revocation create --identity reader', 'revocation undo --identity reader'],
    ...['channel create', 'channel delete read:1', 'channel state read:1 {}'],
    ...['channel state read:1 {} --patch', 'channel update read:1 --type public', 'project settings {}'],
    ...[`subscribe read:1 ${id}`, `unsubscribe read:1 ${id}`],
    ...['publish read:1 said', `direct said --token ${id}`, 'bench --subscribers 1 --messages 1'],
    ...['mute', 'unmute', 'ban', 'unban'].map((verb) => `${verb} --token ${id} --channel read:1`),
    ...[`disconnect --token ${id}`, 'keys list', 'keys create', `keys rotate ${apiKey.id}`],
    ...['keys rotate-signing', `keys revoke ${apiKey.id}`],
    ...['issuer add stream --key two --secret -', `issuer remove ${issuer}`],
    `issuer update ${issuer} --name two`,
    ...[`issuer add-key ${issuer} --key two --secret -`, `issuer remove-key ${issuer} read`],
  ];
  const ofOperator = ['project list', 'project create', 'keys reseal'];
  const backend = service.client();
  const refusals = queueResults(backend, 'subscription { activity(kinds: [REFUSAL]) { field } }');
  await roundTrip(backend);
  const options = { env: { SIGNALBOX_API_KEY: secret }, input: '"a secret of Stream"' };
  for (const line of permitted) expect([line, (await run(line, options)).code]).not.toEqual([line, 3]);
  for (const line of refused) {
    const { code, lines, notes } = await run(line, options);
    expect([line, code, lines]).toEqual([line, 3, []]);
    expect(notes.join(), line).toMatch(/lacks the scope/);
  }
  for (const line of ofOperator) expect(await run(line, options)).toMatchObject({ code: 3, lines: [] });
  // A line that is refused ends nothing: the others could be published.
  expect(await run('publish read:1 said -', options)).toMatchObject({ code: 1, lines: [] });
  const fields = new Set<string>();
  for (const _ of [...refused, ...ofOperator, 'publish']) fields.add((await refusals.next()).activity.field);
  expect(await json('channel list')).toContainEqual(expect.objectContaining({ id: 'read:1', version: 1 }));
  expect(await json('issuer list')).toMatchObject([{ id: issuer, keys: [{ id: 'read' }] }]);
  await run(`issuer remove ${issuer}`);

  // Clients use these without a backend or for themselves; two are for many tokens at once.
  const omitted =
    'createDevelopmentToken, createGuest, createStreamTicket, reauthenticate, setPresence, subscribeTokens, unsubscribeTokens';
  const [, schema = ''] = /^type Mutation \{(.*?)^\}/ms.exec(read('schema.graphql')) ?? [];
  const mutations = [...schema.matchAll(/^ {2}(\w+)(?=[(:])/gm)].map(([, name = '']) => name);
  const reached = mutations.filter((name) => fields.has(name));
  expect([...reached, ...omitted.split(', ')].sort()).toEqual(mutations.sort());

  // These watch until they are interrupted, or need no API key.
  const others =
    'listen, activity, issuer test, doctor, completion, profile write, profile list, backup, restore, check';
  const documented = [...read('docs/reference/command-line.md').matchAll(/^## `signalbox (.+)`$/gm)]
    .map(([, name = '']) => name)
    .filter((name, _, all) => !all.some((other) => other.startsWith(`${name} `)));
  const nameOf = (line: string) => documented.find((name) => `${line} `.startsWith(`${name} `));
  expect(new Set([...permitted, ...refused, ...ofOperator, ...others.split(', ')].map(nameOf))).toEqual(
    new Set(documented),
  );
});
