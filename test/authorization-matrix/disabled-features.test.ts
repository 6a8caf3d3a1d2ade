import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { startService } from '../support/service.ts';
import { connectSocket, openSocket } from '../support/socket.ts';
import { CHANNELS } from './callers.ts';
import { CALLS, hasTargetChannel } from './calls.ts';
import { callByHttp, type CallOutcome } from './transports.ts';

const OPEN_TO_ANYONE = new Set(['query viewer']);
const DISABLED = new Set(['mutation createGuest', 'mutation createDevelopmentToken']);

test('in production, an anonymous caller may only query viewer', async () => {
  await using signalbox = await startService({ mode: 'production', connectsPerSecond: 1e6 });
  await createChannel(signalbox, 'square', { type: 'UNPROTECTED' });
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  const [expected, actual]: Record<string, CallOutcome>[] = [{}, {}];
  for (const call of CALLS) {
    for (const channel of hasTargetChannel(call) ? CHANNELS : (['room'] as const)) {
      const title = `${call.type} ${call.title}, ${channel}`;
      const name = `${call.type} ${call.field}`;
      if (OPEN_TO_ANYONE.has(name)) expected![title] = null;
      else if (call.isLive) expected![title] = 'BAD_USER_INPUT';
      else expected![title] = DISABLED.has(name) ? 'FORBIDDEN' : 'UNAUTHENTICATED';
      // The ids need not exist: the caller is refused before anything is looked up.
      const args = JSON.parse(JSON.stringify(call.args).replaceAll('<targetChannel>', channel)) as object;
      actual![title] = await callByHttp(signalbox, { bearer: null }, call, args);
    }
  }
  expect(actual).toEqual(expected);
  const { tokens } = await signalbox.request('{ tokens { nodes { id } } }');
  expect(tokens.nodes).toEqual([]);
});

test('a feature that the project has disabled is refused to every caller', async () => {
  await using signalbox = await startService({ mode: 'production' });
  await createChannel(signalbox, 'room', { type: 'PUBLIC' });
  const { credential } = await mint(signalbox, { role: 'MODERATOR', channels: ['room'] });
  using socket = await connectSocket(signalbox, { token: credential });
  const { viewer } = await signalbox.request('{ viewer { token { id } } }', {}, credential);
  const { token } = await signalbox.request(
    'query ($t: ID!) { token(id: $t) { connections { id } } }',
    { t: viewer.token.id },
    credential,
  );
  const connection = token.connections[0].id;
  for (const bearer of [signalbox.apiKey, credential, null]) {
    for (const query of [
      'mutation { createGuest { credential } }',
      'mutation { createDevelopmentToken(identity: "ada") }',
    ]) {
      expect((await signalbox.ask(query, {}, bearer)).errors).toMatchObject([
        { extensions: { code: 'FORBIDDEN' } },
      ]);
    }
  }
  const publishToConnection =
    'mutation ($c: ID!) { publishDirectMessage(connection: $c, channel: "room", event: "said") { connections } }';
  expect((await signalbox.ask(publishToConnection, { c: connection }, credential)).errors).toMatchObject([
    { extensions: { code: 'FORBIDDEN' } },
  ]);
  expect(socket.waiting).toEqual([]);
});

test('a development token is refused once development tokens are disabled', async () => {
  await using signalbox = await startService();
  const VIEWER = '{ viewer { token { identity } } }';
  const set = (developmentTokens: boolean) =>
    signalbox.request('mutation ($s: ProjectSettingsInput!) { updateProject(settings: $s) { id } }', {
      s: { developmentTokens },
    });
  await set(true);
  const { createDevelopmentToken: credential } = await signalbox.request(
    'mutation { createDevelopmentToken(identity: "ada") }',
  );
  expect(await signalbox.request(VIEWER, {}, credential)).toEqual({ viewer: { token: { identity: 'ada' } } });
  await set(false);
  expect((await signalbox.ask(VIEWER, {}, credential)).errors).toMatchObject([
    { extensions: { code: 'UNAUTHENTICATED' } },
  ]);
  using socket = await openSocket(signalbox);
  socket.send({ type: 'connection_init', payload: { token: credential } });
  expect(await socket.closed).toMatchObject({ code: 4401 });
});
