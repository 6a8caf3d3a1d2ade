import { expect, test } from 'vitest';
import { createChannel, mint, updateToken } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { signingSecretOf } from '../support/external-credentials.ts';
import { forge } from '../support/forge.ts';
import { API_KEY, startService } from '../support/service.ts';

test('tokens(online: true) answers an anonymous caller the same whether tokens are online or not', async () => {
  await using signalbox = await startService();
  const listAfter = (after: string) =>
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
  const [before, after] = ['token_0', 'token_z'].map((id) => Buffer.from(id).toString('base64url'));
  expect((await listAfter(before!)).errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
  expect(await listAfter(after!)).toEqual(await listAfter(before!));
});

test('viewer.channels and unsubscribeToken hide a channel that the token’s grants no longer allow', async () => {
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

test('refuses the connection when its API key is revoked while the connection is being opened', async () => {
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

test('reauthenticate refuses the credential when its issuer key is removed during the check', async () => {
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
  const sign = (id: string) =>
    forge({ alg: 'HS256', kid: id }, { sub: 'ada' }, signingSecretOf(key(id).secret));
  const { domain } = signalbox.service;
  const connection = await domain.connections.open(
    () => domain.authenticate.credential(sign('one')),
    'WEBSOCKET',
  );
  const { refresh } = domain.authenticate;
  let isRemoved = false;
  domain.authenticate.refresh = async (caller) => {
    const refreshed = await refresh(caller);
    if (!isRemoved)
      await signalbox.request(`mutation ($i: ID!) { removeIssuerKey(issuer: $i, key: "two") { id } }`, {
        i: createIssuer.id,
      });
    isRemoved = true;
    return refreshed;
  };
  await expect(domain.connections.reauthenticate(connection, sign('two'))).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  });
  expect(connection.caller).toMatchObject({ credential: { keyId: 'one' } });
});

test('createCredential refuses a token whose credentials an issuer signs', async () => {
  await using signalbox = await startService();
  const credential = forge(
    { alg: 'HS256', kid: 'key_test' },
    { sub: 'ada', role: 'GUEST' },
    signingSecretOf(API_KEY),
  );
  const { viewer } = await signalbox.request('{ viewer { token { id role } } }', {}, credential);
  expect(viewer.token.role).toBe('GUEST');
  const { errors } = await signalbox.ask(
    `mutation ($t: ID!) { createCredential(token: $t) { credential } }`,
    { t: viewer.token.id },
  );
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
});

test('explainPermission answers TOKEN_ENDED after revokeTokens covers the token', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'square', { type: 'PUBLIC' });
  const credential = forge(
    { alg: 'HS256', kid: 'key_test' },
    { sub: 'ada', iat: 1 },
    signingSecretOf(API_KEY),
  );
  const { viewer } = await signalbox.request('{ viewer { token { id } } }', {}, credential);
  const explain = async () => {
    const query = `query ($t: ID!) { explainPermission(token: $t, channel: "square", action: PUBLISH) { rule } }`;
    return (await signalbox.request(query, { t: viewer.token.id })).explainPermission.rule;
  };
  expect(await explain()).toBe('ALLOWED');
  await signalbox.request('mutation { revokeTokens(identity: "ada") { connections } }');
  expect(await explain()).toBe('TOKEN_ENDED');
});
