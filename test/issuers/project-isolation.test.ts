import { expect, test } from 'vitest';
import { createChannel, mint, publish } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import {
  codeOf,
  createApiKey,
  createIssuer,
  refusalCodeOf,
  EVENTS,
  sign,
  signingKeyOf,
  STREAM,
  stream,
  tokenOf,
} from '../support/external-credentials.ts';
import { API_KEY, startService, type Answer, type TestService } from '../support/service.ts';

const VIEWER = `{ viewer { kind project token { id } } }`;

/** Creates the project `other` beside `default`, with an API key that signs. */
async function createOtherProject(signalbox: TestService) {
  const { createProject } = await signalbox.request(
    `mutation { createProject(input: { id: "other" }) { secret } }`,
  );
  const bearer: string = createProject.secret;
  const other: TestService = {
    ...signalbox,
    ask: (query, variables, by = bearer) => signalbox.ask(query, variables, by),
    request: (query, variables, by = bearer) => signalbox.request(query, variables, by),
  };
  return { other, bearer, key: await createApiKey(signalbox, { canSign: true, project: 'other' }) };
}

/** Queries the viewer over HTTP, with or without a `project` header. */
async function askViewer({ url }: TestService, bearer: string, project?: string): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${bearer}`,
      ...(project !== undefined && { project }),
    },
    body: JSON.stringify({ query: VIEWER }),
  });
  return (await response.json()) as Answer;
}

/** The project of the viewer, or the error code. HTTP and WebSocket must give the same result. */
async function projectOf(
  signalbox: TestService,
  credentials: { token: string } | { apiKey: string },
  project?: string,
) {
  const [bearer] = Object.values<string>(credentials);
  const response = await askViewer(signalbox, bearer!, project);
  const socket = queueResults(
    signalbox.client({ ...credentials, ...(project !== undefined && { project }) }),
    VIEWER,
  );
  if (response.data) {
    expect(await socket.next()).toEqual(response.data);
    return response.data.viewer.project;
  }
  expect(await socket.ended).toMatchObject({ code: 4401 });
  return codeOf(response);
}

test('a credential signed with an API key selects the project of the key, and is refused for another project', async () => {
  await using signalbox = await startService();
  const { key } = await createOtherProject(signalbox);
  const ofDefault = { token: await sign(signingKeyOf(API_KEY), { sub: 'ada' }) };
  const ofOther = { token: await sign(key, { sub: 'ada' }) };
  expect(await projectOf(signalbox, ofDefault)).toBe('default');
  expect(await projectOf(signalbox, ofDefault, 'default')).toBe('default');
  expect(await projectOf(signalbox, ofDefault, 'other')).toBe('UNAUTHENTICATED');
  expect(await projectOf(signalbox, ofOther)).toBe('other');
  expect(await projectOf(signalbox, ofOther, 'other')).toBe('other');
  expect(await projectOf(signalbox, ofOther, 'default')).toBe('UNAUTHENTICATED');
  expect(await projectOf(signalbox, ofOther, 'nowhere')).toBe('UNAUTHENTICATED');
});

test('a minted credential and an API key select their own project, and are refused for another project', async () => {
  await using signalbox = await startService();
  const { other, bearer } = await createOtherProject(signalbox);
  const { credential } = await mint(other);
  for (const credentials of [{ token: credential }, { apiKey: bearer }]) {
    expect(await projectOf(signalbox, credentials)).toBe('other');
    expect(await projectOf(signalbox, credentials, 'other')).toBe('other');
    expect(await projectOf(signalbox, credentials, 'default')).toBe('UNAUTHENTICATED');
    expect(await projectOf(signalbox, credentials, 'nowhere')).toBe('UNAUTHENTICATED');
  }
});

test('a Stream token connects to the named project, or to default, when that project has its issuer', async () => {
  await using signalbox = await startService();
  const { other } = await createOtherProject(signalbox);
  await createIssuer(other, STREAM);
  const credentials = { token: stream.createToken('ada') };
  expect(await projectOf(signalbox, credentials)).toBe('UNAUTHENTICATED');
  expect(await projectOf(signalbox, credentials, 'default')).toBe('UNAUTHENTICATED');
  expect(await projectOf(signalbox, credentials, 'nowhere')).toBe('UNAUTHENTICATED');
  expect(await projectOf(signalbox, credentials, 'other')).toBe('other');
  await createIssuer(signalbox, STREAM);
  expect(await projectOf(signalbox, credentials)).toBe('default');
  // The same user id and secret in two projects are two users.
  const ids = [];
  for (const project of ['default', 'other'])
    ids.push((await askViewer(signalbox, credentials.token, project)).data.viewer.token.id);
  expect(ids[0]).not.toBe(ids[1]);
});

test('a development token gets the same refusal from a project that does not accept it and from a project that does not exist', async () => {
  await using signalbox = await startService();
  const { other } = await createOtherProject(signalbox);
  await other.request(`mutation { updateProject(settings: { developmentTokens: true }) { id } }`);
  const credentials = { token: stream.devToken('ada') };
  expect(await projectOf(signalbox, credentials, 'other')).toBe('other');
  for (const project of [undefined, 'default', 'nowhere'])
    expect(await projectOf(signalbox, credentials, project)).toBe('UNAUTHENTICATED');
});

test('an API key neither lists nor changes the issuers of another project', async () => {
  await using signalbox = await startService();
  const { other } = await createOtherProject(signalbox);
  const issuer = await createIssuer(signalbox, STREAM);
  const key = { id: 'second', secret: 's' };
  const attempts: [string, object][] = [
    [`mutation ($i: ID!) { removeIssuer(issuer: $i) { id } }`, {}],
    [`mutation ($i: ID!, $key: IssuerKeyInput!) { addIssuerKey(issuer: $i, key: $key) { id } }`, { key }],
    [`mutation ($i: ID!) { removeIssuerKey(issuer: $i, key: "appkey") { id } }`, {}],
  ];
  for (const [query, variables] of attempts)
    expect(codeOf(await other.ask(query, { i: issuer, ...variables }))).toBe('NOT_FOUND');
  const list = `{ project { issuers { id keys { id } } } }`;
  expect(await other.request(list)).toEqual({ project: { issuers: [] } });
  // The operator’s API key belongs to its own project, too.
  const all = await signalbox.ask(`{ projects { nodes { id issuers { id } } } }`);
  expect(codeOf(all)).toBe('FORBIDDEN');
  expect(await signalbox.request(list)).toEqual({
    project: { issuers: [{ id: issuer, keys: [{ id: 'appkey' }] }] },
  });
});

test('revokeTokens in one project does not affect the same user in another project', async () => {
  await using signalbox = await startService();
  const { other } = await createOtherProject(signalbox);
  for (const project of [signalbox, other]) await createIssuer(project, STREAM);
  await createChannel(signalbox, 'hall', { type: 'PUBLIC' });
  const token = stream.createToken('ada');
  const { id, issuer } = await tokenOf(signalbox, token);
  const inDefault = queueResults(signalbox.client({ token }), EVENTS);
  const inOther = queueResults(signalbox.client({ token, project: 'other' }), EVENTS);
  for (const events of [inDefault, inOther]) await events.next();
  const revoke = (args: string) => other.request(`mutation { revokeTokens(${args}) { connections } }`);
  await expect(revoke(`issuer: "${issuer}"`)).rejects.toThrow('There is no issuer');
  expect((await revoke('identity: "ada"')).revokeTokens.connections).toBe(1);
  expect((await revoke('all: true')).revokeTokens.connections).toBe(0);
  expect(await inOther.ended).toMatchObject({ code: 4403 });
  expect(await refusalCodeOf(signalbox, token)).toBe('open');
  await signalbox.request(`mutation ($t: ID!) { subscribeToken(channel: "hall", token: $t) { createdAt } }`, {
    t: id,
  });
  await publish(signalbox, 'hall', 'sentinel');
  expect((await inDefault.next()).events.__typename).toBe('ChannelAvailable');
  expect((await inDefault.next()).events.message.event).toBe('sentinel');
});
