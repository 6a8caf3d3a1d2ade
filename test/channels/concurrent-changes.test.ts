import { expect, test } from 'vitest';
import { type EventStream } from '../../src/subscriptions/event-stream.ts';
import { type Caller } from '../../src/tokens/caller.ts';
import { createChannel, mint } from '../support/backend.ts';
import { startService, type TestService } from '../support/service.ts';

/** How many turns of the microtask queue one operation starts after the other: every interleaving up to 40 turns. */
const OFFSETS = Array.from({ length: 40 }, (_, offset) => offset);

async function after<T>(offset: number, work: () => Promise<T>): Promise<T> {
  for (let turn = 0; turn < offset; turn++) await Promise.resolve();
  return work();
}

async function open({ service, apiKey }: TestService, credential: string) {
  const { domain } = service;
  const backend: Caller = await domain.authenticate.apiKey(apiKey);
  const caller = await domain.authenticate.credential(credential);
  return {
    domain,
    backend,
    connection: await domain.connections.open(() => Promise.resolve(caller), 'WEBSOCKET'),
  };
}

/** Collects every event that the stream delivers from now on. */
function collect<T>(stream: EventStream<T>): { events: T[]; readonly isOver: boolean } {
  const events: T[] = [];
  let isOver = false;
  stream.attach({
    deliver: (batch) => events.push(...batch),
    whenWritable: () => undefined,
    end: () => (isOver = true),
  });
  return {
    events,
    get isOver() {
      return isOver;
    },
  };
}

test('delivers the latest state when a token is subscribed while the state changes', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  for (const offset of OFFSETS) {
    const token = await mint(signalbox);
    const { domain, backend, connection } = await open(signalbox, token.credential);
    const inbox = collect(await domain.subscriptions.events(connection, { presence: false }));
    const [, { version }] = await Promise.all([
      domain.memberships.subscribe(backend, 'lobby', token.id),
      after(offset, () => domain.channels.patchState(backend, 'lobby', { offset })),
    ]);
    expect(inbox.events.at(-1), `offset ${offset}`).toMatchObject({ channel: { version } });
  }
});

test('delivers the latest state when a client connects while the state changes', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  for (const offset of OFFSETS) {
    const token = await mint(signalbox, { channels: ['lobby'] });
    const { domain, backend, connection } = await open(signalbox, token.credential);
    const [inbox, { version }] = await Promise.all([
      domain.subscriptions.events(connection, { presence: false }).then(collect),
      after(offset, () => domain.channels.patchState(backend, 'lobby', { offset })),
    ]);
    const [connected, updated] = inbox.events as any[];
    expect((updated?.channel ?? connected.channels[0]).version, `offset ${offset}`).toBe(version);
  }
});

test('delivers nothing when the channel becomes PRIVATE while a guest connects', async () => {
  await using signalbox = await startService();
  for (const offset of OFFSETS) {
    const channel = `room:${offset}`;
    await createChannel(signalbox, channel, { type: 'PUBLIC' });
    const token = await mint(signalbox, { role: 'GUEST', channels: [channel] });
    const { domain, backend, connection } = await open(signalbox, token.credential);
    await Promise.all([
      domain.subscriptions.events(connection, { presence: false }).then(collect),
      after(offset, () => domain.channels.update(backend, channel, { type: 'PRIVATE' })),
    ]);
    const { connections } = await domain.messages.publish(backend, channel, { event: 'secret' });
    expect(connections, `offset ${offset}`).toBe(0);
  }
});

test('delivers nothing when the channel becomes PRIVATE while a guest subscribes to messages', async () => {
  await using signalbox = await startService();
  for (const offset of OFFSETS) {
    const channel = `room:${offset}`;
    await createChannel(signalbox, channel, { type: 'PUBLIC' });
    const token = await mint(signalbox, { role: 'GUEST' });
    const { domain, backend, connection } = await open(signalbox, token.credential);
    await Promise.allSettled([
      domain.subscriptions.messages(connection, channel, {}).then(collect),
      after(offset, () => domain.channels.update(backend, channel, { type: 'PRIVATE' })),
    ]);
    const { connections } = await domain.messages.publish(backend, channel, { event: 'secret' });
    expect(connections, `offset ${offset}`).toBe(0);
  }
});

test('delivers nothing and ends the subscription when the token is unsubscribed while it subscribes to messages', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'lobby');
  for (const offset of OFFSETS) {
    const token = await mint(signalbox, { channels: ['lobby'] });
    const { domain, backend, connection } = await open(signalbox, token.credential);
    const [subscribed] = await Promise.allSettled([
      domain.subscriptions.messages(connection, 'lobby', {}).then(collect),
      after(offset, () => domain.memberships.unsubscribe(backend, 'lobby', token.id)),
    ]);
    const { connections } = await domain.messages.publish(backend, 'lobby', { event: 'secret' });
    expect(connections, `offset ${offset}`).toBe(0);
    if (subscribed.status === 'fulfilled') expect(subscribed.value.isOver, `offset ${offset}`).toBe(true);
  }
});

test('leaves no membership when the channel is deleted while a token is subscribed', async () => {
  await using signalbox = await startService();
  for (const offset of OFFSETS) {
    const channel = `room:${offset}`;
    await createChannel(signalbox, channel);
    const token = await mint(signalbox);
    const { domain, backend } = await open(signalbox, token.credential);
    await Promise.allSettled([
      domain.memberships.subscribe(backend, channel, token.id),
      after(offset, () => domain.channels.remove(backend, channel)),
    ]);
    const { projectId } = backend;
    expect(await domain.memberships.find(projectId, channel, token.id), `offset ${offset}`).toBeUndefined();
  }
});
