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

const WHO = `{ viewer { kind project token { id } } }`;

/** Project `other` beside the default one, with a key of its own that signs. */
async function openOther(signalbox: TestService) {
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

/** Who somebody is over HTTP who names a project, or none. */
async function askIn({ url }: TestService, bearer: string, project?: string): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${bearer}`,
      ...(project !== undefined && { project }),
    },
    body: JSON.stringify({ query: WHO }),
  });
  return (await response.json()) as Answer;
}

/** What both doors say, which must be the same: the project that one is let into, or the refusal. */
async function doorsOf(
  signalbox: TestService,
  who: { token: string } | { apiKey: string },
  project?: string,
) {
  const [bearer] = Object.values<string>(who);
  const answer = await askIn(signalbox, bearer!, project);
  const socket = queueResults(signalbox.client({ ...who, ...(project !== undefined && { project }) }), WHO);
  if (answer.data) {
    expect(await socket.next()).toEqual(answer.data);
    return answer.data.viewer.project;
  }
  expect(await socket.ended).toMatchObject({ code: 4401 });
  return codeOf(answer);
}

test('a key signs for its own project, which it names by itself; to name another one is refused', async () => {
  await using signalbox = await startService();
  const { key } = await openOther(signalbox);
  const here = { token: await sign(signingKeyOf(API_KEY), { sub: 'ada' }) };
  const there = { token: await sign(key, { sub: 'ada' }) };
  expect(await doorsOf(signalbox, here)).toBe('default');
  expect(await doorsOf(signalbox, here, 'default')).toBe('default');
  expect(await doorsOf(signalbox, here, 'other')).toBe('UNAUTHENTICATED');
  expect(await doorsOf(signalbox, there)).toBe('other');
  expect(await doorsOf(signalbox, there, 'other')).toBe('other');
  expect(await doorsOf(signalbox, there, 'default')).toBe('UNAUTHENTICATED');
  expect(await doorsOf(signalbox, there, 'nowhere')).toBe('UNAUTHENTICATED');
});

test('the same holds of what we sign ourselves, and of API keys as such', async () => {
  await using signalbox = await startService();
  const { other, bearer } = await openOther(signalbox);
  const { credential } = await mint(other);
  for (const who of [{ token: credential }, { apiKey: bearer }]) {
    expect(await doorsOf(signalbox, who)).toBe('other');
    expect(await doorsOf(signalbox, who, 'other')).toBe('other');
    expect(await doorsOf(signalbox, who, 'default')).toBe('UNAUTHENTICATED');
    expect(await doorsOf(signalbox, who, 'nowhere')).toBe('UNAUTHENTICATED');
  }
});

test('what a vendor’s package signs says nothing of projects: it opens the one that is named, if that one knows who signed', async () => {
  await using signalbox = await startService();
  const { other } = await openOther(signalbox);
  await createIssuer(other, STREAM);
  const who = { token: stream.createToken('ada') };
  expect(await doorsOf(signalbox, who)).toBe('UNAUTHENTICATED');
  expect(await doorsOf(signalbox, who, 'default')).toBe('UNAUTHENTICATED');
  expect(await doorsOf(signalbox, who, 'nowhere')).toBe('UNAUTHENTICATED');
  expect(await doorsOf(signalbox, who, 'other')).toBe('other');
  await createIssuer(signalbox, STREAM);
  expect(await doorsOf(signalbox, who)).toBe('default');
  // One name, one secret, two projects: two users.
  const ids = [];
  for (const project of ['default', 'other'])
    ids.push((await askIn(signalbox, who.token, project)).data.viewer.token.id);
  expect(ids[0]).not.toBe(ids[1]);
});

test('an unsigned token opens the project that takes them, and does not tell whether there is another', async () => {
  await using signalbox = await startService();
  const { other } = await openOther(signalbox);
  await other.request(`mutation { updateProject(settings: { developmentTokens: true }) { id } }`);
  const who = { token: stream.devToken('ada') };
  expect(await doorsOf(signalbox, who, 'other')).toBe('other');
  for (const project of [undefined, 'default', 'nowhere'])
    expect(await doorsOf(signalbox, who, project)).toBe('UNAUTHENTICATED');
});

test('issuers of one project are neither seen nor touched from another', async () => {
  await using signalbox = await startService();
  const { other } = await openOther(signalbox);
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
  // Not even by the operator: its key is one of its own project.
  const all = await signalbox.ask(`{ projects { nodes { id issuers { id } } } }`);
  expect(codeOf(all)).toBe('FORBIDDEN');
  expect(await signalbox.request(list)).toEqual({
    project: { issuers: [{ id: issuer, keys: [{ id: 'appkey' }] }] },
  });
});

test('whom another project revokes goes on here', async () => {
  await using signalbox = await startService();
  const { other } = await openOther(signalbox);
  for (const project of [signalbox, other]) await createIssuer(project, STREAM);
  await createChannel(signalbox, 'hall', { type: 'PUBLIC' });
  const token = stream.createToken('ada');
  const { id, issuer } = await tokenOf(signalbox, token);
  const here = queueResults(signalbox.client({ token }), EVENTS);
  const there = queueResults(signalbox.client({ token, project: 'other' }), EVENTS);
  for (const events of [here, there]) await events.next();
  const revoke = (args: string) => other.request(`mutation { revokeTokens(${args}) { connections } }`);
  await expect(revoke(`issuer: "${issuer}"`)).rejects.toThrow('There is no issuer');
  expect((await revoke('identity: "ada"')).revokeTokens.connections).toBe(1);
  expect((await revoke('all: true')).revokeTokens.connections).toBe(0);
  expect(await there.ended).toMatchObject({ code: 4403 });
  expect(await refusalCodeOf(signalbox, token)).toBe('open');
  await signalbox.request(`mutation ($t: ID!) { subscribeToken(channel: "hall", token: $t) { createdAt } }`, {
    t: id,
  });
  await publish(signalbox, 'hall', 'sentinel');
  expect((await here.next()).events.__typename).toBe('ChannelAvailable');
  expect((await here.next()).events.message.event).toBe('sentinel');
});
