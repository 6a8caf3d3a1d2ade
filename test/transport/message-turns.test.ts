import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { MessageLane, MessageTurns } from '../../src/transport/message-turns.ts';
import { startService } from '../support/service.ts';
import { connectSocket, openTcp } from '../support/socket.ts';

const FLOOD = 2000;

test('answers /health while a flood of messages of one socket is still queued', async () => {
  await using signalbox = await startService();
  using flooding = await connectSocket(signalbox, {});
  using other = await openTcp(signalbox);
  const answered = once(other.socket, 'data').then(() => flooding.waiting.length);
  for (let sent = 0; sent < FLOOD; sent++) flooding.send({ type: 'ping' });
  other.socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
  expect(await answered).toBeLessThan(FLOOD / 2);
  // Every message is answered in the end.
  for (let received = 0; received < FLOOD; received++) await flooding.next();
});

/** A lane whose socket records whether it is read. */
function createLane(turns: MessageTurns) {
  const socket = {
    isPaused: false,
    pause: () => (socket.isPaused = true),
    resume: () => (socket.isPaused = false),
  };
  return { socket, lane: new MessageLane(turns, socket) };
}

test('starts at most 64 messages of a socket in one turn, in their order', async () => {
  const { lane } = createLane(new MessageTurns());
  const started: number[] = [];
  for (let n = 0; n < 160; n++) lane.run(() => started.push(n));
  const counts = [started.length];
  while (started.length < 160) {
    await nextTurn();
    counts.push(started.length);
  }
  expect(counts).toEqual([64, 128, 160]);
  expect(started).toEqual(Array.from({ length: 160 }, (_, n) => n));
});

test('starts one operation per turn when each costs the share of a socket', async () => {
  const { lane } = createLane(new MessageTurns());
  let started = 0;
  const work = () => {
    started++;
    lane.charge(1_000);
  };
  for (let n = 0; n < 3; n++) lane.run(work);
  const counts = [started];
  while (started < 3) {
    await nextTurn();
    counts.push(started);
  }
  expect(counts).toEqual([1, 2, 3]);
});

test('starts the message of a second socket in the next turn while 20 sockets have waiting messages', async () => {
  const turns = new MessageTurns();
  const order: string[] = [];
  for (let lane = 0; lane < 20; lane++) {
    const { lane: flooding } = createLane(turns);
    for (let n = 0; n < 100; n++) flooding.run(() => order.push(`flood ${lane}`));
  }
  const { lane: quiet } = createLane(turns);
  quiet.run(() => order.push('quiet'));
  await nextTurn();
  expect(order).toContain('quiet');
  while (order.length < 2001) await nextTurn();
  // Sockets take turns: the first to finish is at most one share ahead of the others.
  const firstHalf = order.slice(0, 1000);
  for (let lane = 0; lane < 20; lane++)
    expect(firstHalf.filter((name) => name === `flood ${lane}`).length).toBeGreaterThan(20);
});

test('stops reading a socket with 64 waiting messages, and reads it again when they have started', async () => {
  const { lane, socket } = createLane(new MessageTurns());
  let started = 0;
  const count = () => {
    started++;
  };
  for (let n = 0; n < 64 + 63; n++) lane.run(count);
  expect(socket.isPaused).toBe(false);
  lane.run(count);
  expect(socket.isPaused).toBe(true);
  while (started < 128) await nextTurn();
  expect(socket.isPaused).toBe(false);
});

test('drops the waiting messages of a closed socket', async () => {
  const { lane } = createLane(new MessageTurns());
  let started = 0;
  for (let n = 0; n < 160; n++) lane.run(() => started++);
  lane.clear();
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  expect(started).toBe(64);
});
