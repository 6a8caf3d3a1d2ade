import assert from 'node:assert/strict';
import { backend, createOnce, errorCodeOf } from './client/backend.ts';
import { connect } from './client/frontend.ts';

/** The calls that a team knows from Hop Channels. Hop creates its tokens by an API call, and so does Signalbox. */

// hop.channels.create(ChannelType.PRIVATE, 'hop-game', { state })
await createOnce(`mutation { createChannel(input: { id: "hop-game", type: PRIVATE }) { id } }`);
await backend(`mutation { setChannelState(channel: "hop-game", state: { round: 1 }) { version } }`);

// hop.channels.tokens.create({ userId: '1' }): the id is an address, the credential is the secret.
const {
  createToken: { token, credential, cursor },
} = await backend<{ createToken: { token: { id: string }; credential: string; cursor: string } }>(
  `mutation { createToken(input: { state: { userId: "1" } }) { token { id } credential cursor } }`,
);
const isOnline = async () =>
  (
    await backend<{ isOnline: boolean }>(`query ($token: ID!) { isOnline(token: $token) }`, {
      token: token.id,
    })
  ).isOnline;
assert.equal(await isOnline(), false);

// hop.init({ projectId, token })
const frontend = connect(() => credential, cursor);
await frontend.waitFor('Connected');
// hop.channels.tokens.isOnline(id)
assert.equal(await isOnline(), true);
console.log('The token is online.');

// A client that subscribes itself to a private channel: Hop answers NOT_GRANTED.
const subscribe = `mutation ($token: ID!) { subscribeToken(channel: "hop-game", token: $token) { createdAt } }`;
assert.equal(await errorCodeOf(frontend.execute(subscribe, { token: token.id })), 'FORBIDDEN');
console.log('The token may not subscribe itself to a private channel.');

// hop.channels.subscribeToken('hop-game', id): AVAILABLE, at once, on every live connection
await backend(subscribe, { token: token.id });
const { channel } = await frontend.waitFor('ChannelAvailable');
console.log('The backend subscribed the token:', channel);

// hop.channels.publishMessage('hop-game', 'SCORE', data)
await backend(
  `mutation { publishMessage(channel: "hop-game", event: "SCORE", data: { points: 7 }) { connections } }`,
);
console.log('Received SCORE:', (await frontend.waitFor('SCORE')).message?.data);

// hop.channels.tokens.publishDirectMessage(id, 'PSST', data)
await backend(
  `mutation ($token: ID!) { publishDirectMessage(token: $token, event: "PSST", data: "you win") { connections } }`,
  { token: token.id },
);
console.log('Received PSST directly:', (await frontend.waitFor('PSST')).message?.data);

// hop.channels.patchState('hop-game', { round: 2 }); client.on('STATE_UPDATE', …)
await backend(`mutation { patchChannelState(channel: "hop-game", patch: { round: 2 }) { version } }`);
const { channel: changed } = await frontend.waitFor('ChannelStateUpdated');
assert.deepEqual(changed?.state, { round: 2 });
console.log('The state is now:', changed.state);

// hop.channels.getStats('hop-game') and hop.channels.getAllTokens('hop-game')
const { channel: game } = await backend<{
  channel: { presence: { count: number }; tokens: { nodes: { id: string }[] } };
}>(`{ channel(id: "hop-game") { presence { count } tokens(first: 100) { nodes { id } } } }`);
assert(game.tokens.nodes.some(({ id }) => id === token.id));
console.log('Online in the channel:', game.presence.count);

// hop.channels.tokens.delete(id): live connections are closed at once
await backend(`mutation ($token: ID!) { revokeToken(id: $token) { revokedAt } }`, { token: token.id });
console.log('Disconnected because:', (await frontend.waitFor('Disconnecting')).reason);
frontend.close();
