import assert from 'node:assert/strict';
import { backend, codeOf, connect, next, once, reached, shown } from './support.ts';

/** The calls that a team knows from Hop Channels. Hop creates its tokens by an API call, and so does Signalbox. */

// hop.channels.create(ChannelType.PRIVATE, 'hop-game', { state })
await once(backend.channels.create({ id: 'hop-game', type: 'PRIVATE' }));
await backend.channels.setState('hop-game', { round: 1 });

// hop.channels.tokens.create({ userId: '1' }): the id is an address, the credential is the secret.
const { token, credential } = await backend.tokens.create({ state: { userId: '1' } });
assert(token);
assert.equal(await backend.tokens.isOnline(token.id), false);

// hop.init({ projectId, token })
const client = connect(credential);
await reached(client, 'connected');
// hop.channels.tokens.isOnline(id)
assert.equal(await backend.tokens.isOnline(token.id), true);
console.log('The token is online.');

// client.subscribeToChannel('hop-game'), which Hop answers with NOT_GRANTED
const subscribe = `mutation ($token: ID!) { subscribeToken(channel: "hop-game", token: $token) { createdAt } }`;
assert.equal(await codeOf(client.graphql(subscribe, { token: token.id })), 'FORBIDDEN');
console.log('The token may not subscribe itself to a private channel.');

// hop.channels.subscribeToken('hop-game', id): AVAILABLE, at once, on every live connection
const game = client.channel('hop-game');
await backend.channels.subscribeToken('hop-game', token.id);
const { state } = await shown(game, (snapshot) => snapshot.state !== undefined);
console.log('The backend subscribed the token:', { id: game.id, state });

// hop.channels.publishMessage('hop-game', 'SCORE', data); client.on('MESSAGE', …)
const score = next(game, 'SCORE');
await backend.publishMessage('hop-game', 'SCORE', { points: 7 });
console.log('Received SCORE:', (await score).data);

// hop.channels.tokens.publishDirectMessage(id, 'PSST', data)
const psst = next(client.direct, 'PSST');
await backend.publishDirectMessage({ token: token.id }, 'PSST', 'you win');
console.log('Received PSST directly:', (await psst).data);

// hop.channels.patchState('hop-game', { round: 2 }); client.on('STATE_UPDATE', …)
const { version } = await backend.channels.patchState('hop-game', { round: 2 });
const changed = await shown(game, (snapshot) => snapshot.version === version);
assert.deepEqual(changed.state, { round: 2 });
console.log('The state is now:', changed.state);

// hop.channels.getAllTokens('hop-game') and hop.channels.getStats('hop-game')
const ids: string[] = [];
for await (const { id } of backend.channels.tokens('hop-game')) ids.push(id);
assert(ids.includes(token.id));
console.log('Online in the channel:', await backend.channels.countMembers('hop-game'));

// hop.channels.tokens.delete(id): live connections are closed at once
await backend.tokens.revoke(token.id);
console.log('Disconnected because:', (await reached(client, 'ended')).error?.code);
