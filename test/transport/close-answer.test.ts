import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { TurnQueue } from '../../src/slices.ts';
import { readAnswerInTurn } from '../../src/transport/close-answer.ts';
import { numbers } from '../support/publish.ts';

const PEERS = 100;
const PER_TURN = 8;

/** Opens connections over TCP. Returns both ends of each. */
async function openPairs(count: number) {
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const peers = await Promise.all(
    numbers(count).map(async () => {
      const peer = connect(port, '127.0.0.1');
      await once(peer, 'connect');
      return peer;
    }),
  );
  while (accepted.length < count) await once(server, 'connection');
  return {
    accepted,
    peers,
    [Symbol.dispose]() {
      for (const socket of [...accepted, ...peers]) socket.destroy();
      server.close();
    },
  };
}

test('answers of many peers that arrive at once are processed in several turns of the event loop, completely', async () => {
  using pairs = await openPairs(PEERS);
  const turns = new TurnQueue(PER_TURN);
  /** The number of answers that were processed in each turn. */
  const processed: number[] = [0];
  const answers: string[] = [];
  const ends = pairs.accepted.map((socket) => {
    socket.on('data', (chunk: Buffer) => {
      answers.push(chunk.toString());
      processed[processed.length - 1]!++;
    });
    readAnswerInTurn(socket, turns);
    return once(socket, 'end');
  });
  const count = () => {
    processed.push(0);
    if (answers.length < PEERS) setImmediate(count);
  };
  setImmediate(count);
  for (const peer of pairs.peers) peer.end('answer');
  await Promise.all(ends);
  expect(answers).toEqual(numbers(PEERS).map(() => 'answer'));
  // Two turns of the queue can fall between two counts.
  expect(Math.max(...processed)).toBeLessThanOrEqual(2 * PER_TURN);
});
