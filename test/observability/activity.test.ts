import { expect, test } from 'vitest';
import { ACTIVITY, followActivity, openLobby } from '../support/activity.ts';
import { createChannel, mint, publish, revokeToken, sendDirect } from '../support/backend.ts';
import { createLog } from '../support/log.ts';
import { createProject } from '../support/projects.ts';
import { queueResults } from '../support/result-queue.ts';

const EVENTS = 'subscription { events { __typename } }';

test('shows the life of a token: created, connected, in a channel, publishing, refused, muted, disconnected', async () => {
  await using signalbox = await openLobby();
  const { next } = await followActivity(signalbox);
  const { id, credential } = await mint(signalbox, { identity: 'ada', channels: ['lobby'] });
  const about = { token: id, identity: 'ada' };
  expect(await next()).toMatchObject({ kind: 'TOKEN', action: 'token.create', actor: 'key_test', ...about });
  const ada = signalbox.client({ token: credential });
  const events = queueResults(ada, EVENTS);
  const opened = await next();
  expect(opened).toMatchObject({ kind: 'CONNECTION', action: 'connection.open', actor: id, ...about });
  const { connection } = opened;
  await events.next();
  const inLobby = { channel: 'lobby', ...about };
  expect(await next()).toMatchObject({ kind: 'PRESENCE', action: 'presence.join', connection, ...inLobby });
  await signalbox.request(
    'mutation { publishMessage(channel: "lobby", event: "said", data: 1) { connections } }',
    {},
    credential,
  );
  expect(await next()).toEqual({
    at: expect.any(String),
    kind: 'MESSAGE',
    action: 'message.publish',
    actor: id,
    subject: expect.stringMatching(/^msg_/),
    message: expect.stringMatching(/^msg_/),
    event: 'said',
    ...inLobby,
  });
  await sendDirect(signalbox, id, 'psst');
  expect(await next()).toEqual({
    at: expect.any(String),
    kind: 'MESSAGE',
    action: 'message.publish',
    subject: expect.any(String),
    message: expect.any(String),
    event: 'psst',
    token: id,
  });
  await signalbox.request('mutation ($t: ID!) { mute(token: $t, channel: "lobby") { id } }', { t: id });
  expect(await next()).toMatchObject({
    kind: 'MODERATION',
    action: 'mute.put',
    token: id,
    channel: 'lobby',
    actor: 'key_test',
  });
  await signalbox.ask(
    'mutation { publishMessage(channel: "lobby", event: "e") { connections } }',
    {},
    credential,
  );
  expect(await next()).toEqual({
    at: expect.any(String),
    kind: 'REFUSAL',
    action: 'refused',
    actor: id,
    code: 'FORBIDDEN',
    reason: 'MUTED',
    field: 'publishMessage',
    sentence: 'The channel “lobby” does not exist, or this caller may not PUBLISH in it.',
    address: '127.0.0.1',
    ...inLobby,
  });
  await signalbox.request('mutation ($c: ID!) { disconnect(connection: $c) }', { c: connection });
  const ended = [await next(), await next(), await next()].sort((a, b) => (a.action < b.action ? -1 : 1));
  expect(ended).toMatchObject([
    { kind: 'CONNECTION', action: 'connection.close', connection, reason: 'DISCONNECTED', ...about },
    { kind: 'MODERATION', action: 'connection.disconnect', connection, ...about },
    { kind: 'PRESENCE', action: 'presence.leave', connection, reason: 'DISCONNECTED', ...inLobby },
  ]);
  await revokeToken(signalbox, id);
  expect(await next()).toMatchObject({ kind: 'TOKEN', action: 'token.revoke', ...about });
});

test('shows everything that the audit log holds, in its order', async () => {
  const log = createLog();
  await using signalbox = await openLobby({ logger: log.logger });
  const kinds = ['TOKEN', 'MEMBERSHIP', 'CHANNEL', 'MODERATION', 'REFUSAL', 'ADMINISTRATION'];
  const { next } = await followActivity(signalbox, { kinds });
  const before = log.audited().length;
  const { id, credential } = await mint(signalbox, { identity: 'ada' });
  await signalbox.request(
    `mutation ($t: ID!) {
      createCredential(token: $t) { cursor } updateToken(id: $t, input: {}) { id }
      subscribeToken(channel: "lobby", token: $t) { createdAt } unsubscribeToken(channel: "lobby", token: $t) { createdAt }
      ban(identity: "ada", channel: "lobby") { id } unban(identity: "ada", channel: "lobby") { id } revokeTokens(identity: "eve") { connections }
      updateProject(settings: { guests: true }) { id } createApiKey { secret } createGuest { cursor }
      createIssuer(input: { kind: SIGNALBOX, key: { id: "k", secret: "a secret that has 32 bytes or more" } }) { id }
      rotateSigningKey(overlapSeconds: 600) deleteChannel(id: "lobby") { id }
    }`,
    { t: id },
  );
  await signalbox.ask('{ tokens { nodes { id } } }', {}, credential);
  await signalbox.ask('{ tokens { nodes { id } } }', {}, 'key_nobody.AAAA');
  const audited = log.audited().slice(before);
  expect(audited.length).toBeGreaterThan(14);
  for (const { action, actor, subject } of audited) {
    const shown = await next();
    expect({ action: shown.action, actor: shown.actor, subject: shown.subject }).toEqual({
      action,
      actor,
      subject,
    });
  }
});

test('includes payloads only for subscribers that ask for them', async () => {
  await using signalbox = await openLobby();
  const [without, withPayloads] = [
    await followActivity(signalbox, { kinds: ['MESSAGE'] }),
    await followActivity(signalbox, { kinds: ['MESSAGE'], payloads: true }),
  ];
  await signalbox.request(
    'mutation { publishMessage(channel: "lobby", event: "e", data: { secret: 1 }, ephemeral: true) { connections } }',
  );
  expect((await without.next()).data).toBeUndefined();
  expect((await withPayloads.next()).data).toEqual({ secret: 1 });
  const { createApiKey } = await signalbox.request('mutation { createApiKey(scopes: [READ]) { secret } }');
  const reader = await followActivity(signalbox, { kinds: ['MESSAGE'], payloads: true }, createApiKey.secret);
  const ada = await mint(signalbox);
  await signalbox.request(
    `mutation ($t: ID!) {
      publishDirectMessage(token: $t, event: "e", data: { secret: 2 }) { connections }
      publishMessage(channel: "lobby", event: "e", data: { secret: 3 }) { connections }
    }`,
    { t: ada.id },
  );
  expect((await withPayloads.next()).data).toEqual({ secret: 2 });
  expect((await reader.next()).data).toBeUndefined();
  expect((await reader.next()).data).toEqual({ secret: 3 });
});

test('filters by channel, token and identity', async () => {
  await using signalbox = await openLobby();
  await createChannel(signalbox, 'attic');
  const [ada, ben] = [await mint(signalbox, { identity: 'ada' }), await mint(signalbox, { identity: 'ben' })];
  const inLobby = await followActivity(signalbox, { channel: 'lobby' });
  const ofAda = await followActivity(signalbox, { token: ada.id, kinds: ['MESSAGE', 'TOKEN'] });
  const ofBen = await followActivity(signalbox, { identity: 'ben', kinds: ['MESSAGE', 'MEMBERSHIP'] });
  await publish(signalbox, 'attic', 'hidden');
  await publish(signalbox, 'lobby', 'shown');
  for (const { id } of [ada, ben]) await sendDirect(signalbox, id, 'psst');
  await signalbox.request(
    'mutation ($t: ID!) { subscribeToken(channel: "lobby", token: $t) { createdAt } }',
    { t: ben.id },
  );
  await revokeToken(signalbox, ada.id);
  expect(await inLobby.next()).toMatchObject({ event: 'shown' });
  expect(await inLobby.next()).toMatchObject({ action: 'membership.subscribe', token: ben.id });
  expect(await ofAda.next()).toMatchObject({ event: 'psst', token: ada.id });
  expect(await ofAda.next()).toMatchObject({ action: 'token.revoke' });
  expect(await ofBen.next()).toMatchObject({ action: 'membership.subscribe' });
});

test('shows an API key its own project only, and what its scopes let it read', async () => {
  await using signalbox = await openLobby();
  const other = await createProject(signalbox, 'other');
  const { createApiKey } = await signalbox.request('mutation { createApiKey(scopes: [READ]) { secret } }');
  const reader = await followActivity(signalbox, {}, createApiKey.secret);
  const foreign = await followActivity(other);
  const operator = await followActivity(signalbox, { kinds: ['REFUSAL', 'ADMINISTRATION', 'CHANNEL'] });
  const { credential } = await mint(signalbox);
  await signalbox.request('mutation { updateProject(settings: {}) { id } }');
  await signalbox.ask('{ tokens { nodes { id } } }', {}, credential);
  await signalbox.ask('{ tokens { nodes { id } } }', {}, 'key_nobody.AAAA');
  const seen = await reader.untilSentinel(signalbox);
  expect(seen.map(({ action }) => action)).toEqual(['connection.open', 'token.create', 'refused']);
  expect(seen[2]).toMatchObject({ reason: 'NOT_ALLOWED' });
  expect(seen[2].address).toBeUndefined();
  const all = await operator.untilSentinel(signalbox);
  expect(all.slice(0, 3)).toMatchObject([
    { action: 'project.update' },
    { action: 'refused', address: '127.0.0.1' },
    { action: 'refused', reason: 'API_KEY', actor: 'anonymous' },
  ]);
  await createChannel(other, 'lobby');
  expect(await foreign.next()).toMatchObject({ action: 'channel.create', channel: 'lobby' });
  const refused = queueResults(signalbox.client({ apiKey: createApiKey.secret }), ACTIVITY, {
    kinds: ['ADMINISTRATION'],
  });
  expect(await refused.ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});
