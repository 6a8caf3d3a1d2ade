import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService } from '../support/service.ts';
import { connectSocket } from '../support/socket.ts';

const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then'];

test.each(NAMES)('%s works as a channel, identity, event, data key and idempotency key', async (name) => {
  await using signalbox = await startService();
  await createChannel(signalbox, name, { type: 'PUBLIC' });
  const { credential } = await mint(signalbox, {
    identity: name,
    channels: [name],
    grants: [{ channels: name, actions: ['SUBSCRIBE', 'PUBLISH', 'PRESENCE'] }],
  });
  const messages = queueResults(
    signalbox.client({ token: credential }),
    `subscription ($c: ID!, $e: [String!]) { messages(channel: $c, events: $e) { channel event data sender { identity } } }`,
    { c: name, e: [name] },
  );
  const data: unknown = JSON.parse(`{"${name}": {"isAdmin": true}, "list": [{"${name}": 1}]}`);
  const publish = `mutation ($c: ID!, $e: String!, $d: JSON) { publishMessage(channel: $c, event: $e, data: $d, idempotencyKey: $e) { connections repeated } }`;
  const variables = { c: name, e: name, d: data };
  expect(await signalbox.request(publish, variables, credential)).toMatchObject({
    publishMessage: { repeated: false },
  });
  expect(await signalbox.request(publish, variables, credential)).toMatchObject({
    publishMessage: { repeated: true },
  });
  expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();

  const { channel } = await signalbox.request(
    `query ($c: ID!) { channel(id: $c) { id messages { nodes { event data sender { identity } } } presence { count } } }`,
    { c: name },
  );
  expect(channel).toMatchObject({
    id: name,
    messages: { nodes: [{ event: name, sender: { identity: name } }] },
  });
  expect(JSON.stringify(channel.messages.nodes[0].data)).toBe(JSON.stringify(data));
  messages.stop();
});

test.each(NAMES)('%s works as an operation id and as an alias', async (name) => {
  await using signalbox = await startService();
  using socket = await connectSocket(signalbox);
  for (let times = 0; times < 2; times++) {
    socket.send({ id: name, type: 'subscribe', payload: { query: `{ ${name}: viewer { kind } }` } });
    const next = await socket.next();
    expect(next).toMatchObject({ id: name, type: 'next' });
    expect(JSON.stringify(next.payload)).toBe(`{"data":{"${name}":{"kind":"ANONYMOUS"}}}`);
    expect(await socket.next()).toEqual({ id: name, type: 'complete' });
  }
});
