import { expect, test } from 'vitest';
import { createChannel, mint, updateToken } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { forge } from '../support/forge.ts';
import { API_KEY, startService } from '../support/service.ts';

test('whoever may not list tokens is told the same whether any is online or not', async () => {
  await using signalbox = await startService();
  const ask = (after: string) =>
    signalbox.ask(
      `query ($a: String) { tokens(online: true, after: $a) { nodes { id } } }`,
      { a: after },
      null,
    );
  const ada = await mint(signalbox);
  await queueResults(
    signalbox.client({ token: ada.credential }),
    `subscription { events { __typename } }`,
  ).next();
  const [before, behind] = ['token_0', 'token_z'].map((id) => Buffer.from(id).toString('base64url'));
  expect((await ask(before!)).errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
  expect(await ask(behind!)).toEqual(await ask(before!));
});

test('what was taken from a token is not to be had by another way round', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  const ada = await mint(signalbox, { channels: ['lobby'] });
  await updateToken(signalbox, ada.id, { grants: [] });
  await signalbox.request(`mutation { setChannelState(channel: "lobby", state: "after") { id } }`);
  const { viewer } = await signalbox.request(
    `{ viewer { channels { nodes { state } } } }`,
    {},
    ada.credential,
  );
  expect(viewer.channels.nodes).toEqual([]);
  const { unsubscribeToken } = await signalbox.request(
    `mutation ($t: ID!) { unsubscribeToken(channel: "lobby", token: $t) { createdAt channel { state } } }`,
    { t: ada.id },
    ada.credential,
  );
  expect(unsubscribeToken).toEqual({ createdAt: expect.any(String), channel: null });
});

test('a key that ended while a connection was being opened with it opens nothing', async () => {
  await using signalbox = await startService();
  const { createApiKey } = await signalbox.request(`mutation { createApiKey { secret apiKey { id } } }`);
  const { domain } = signalbox.service;
  const caller = await domain.authenticate.apiKey(createApiKey.secret);
  await domain.apiKeys.revoke('default', createApiKey.apiKey.id);
  await expect(
    domain.connections.open(() => domain.authenticate.refresh(caller), 'WEBSOCKET'),
  ).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  });
  expect(domain.connections.count).toBe(0);
});

test('a key that is taken away while a credential of it is presented on a live socket opens nothing', async () => {
  await using signalbox = await startService();
  const key = (id: string) => ({ id, secret: `a secret of ${id}, which has 32 bytes or more` });
  const { createIssuer } = await signalbox.request(
    `mutation ($i: CreateIssuerInput!) { createIssuer(input: $i) { id } }`,
    { i: { kind: 'SIGNALBOX', key: key('one') } },
  );
  await signalbox.request(
    `mutation ($i: ID!, $k: IssuerKeyInput!) { addIssuerKey(issuer: $i, key: $k) { id } }`,
    {
      i: createIssuer.id,
      k: key('two'),
    },
  );
  const sign = (id: string) => forge({ alg: 'HS256', kid: id }, { sub: 'ada' }, key(id).secret);
  const { domain } = signalbox.service;
  const connection = await domain.connections.open(
    () => domain.authenticate.credential(sign('one')),
    'WEBSOCKET',
  );
  const { refresh } = domain.authenticate;
  let isTaken = false;
  domain.authenticate.refresh = async (caller) => {
    const found = await refresh(caller);
    if (!isTaken)
      await signalbox.request(`mutation ($i: ID!) { removeIssuerKey(issuer: $i, key: "two") { id } }`, {
        i: createIssuer.id,
      });
    isTaken = true;
    return found;
  };
  await expect(domain.connections.reauthenticate(connection, sign('two'))).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  });
  expect(connection.caller).toMatchObject({ credential: { keyId: 'one' } });
});

test('a token whose credentials its issuer signs has none of ours, which would not say what narrows it', async () => {
  await using signalbox = await startService();
  const credential = forge({ alg: 'HS256', kid: 'key_test' }, { sub: 'ada', role: 'GUEST' }, API_KEY);
  const { viewer } = await signalbox.request('{ viewer { token { id role } } }', {}, credential);
  expect(viewer.token.role).toBe('GUEST');
  const { errors } = await signalbox.ask(
    `mutation ($t: ID!) { createCredential(token: $t) { credential } }`,
    { t: viewer.token.id },
  );
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
});

test('what many lost at once is explained as lost', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'PUBLIC' });
  const credential = forge({ alg: 'HS256', kid: 'key_test' }, { sub: 'ada', iat: 1 }, API_KEY);
  const { viewer } = await signalbox.request('{ viewer { token { id } } }', {}, credential);
  const explain = async () => {
    const asked = `query ($t: ID!) { explainPermission(token: $t, channel: "square", action: PUBLISH) { rule } }`;
    return (await signalbox.request(asked, { t: viewer.token.id })).explainPermission.rule;
  };
  expect(await explain()).toBe('ALLOWED');
  await signalbox.request('mutation { revokeTokens(identity: "ada") { connections } }');
  expect(await explain()).toBe('TOKEN_ENDED');
});
