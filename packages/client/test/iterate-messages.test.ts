import { expect, test } from 'vitest';
import { iterateMessages, type IterationSource } from '../src/channels/iterate-messages.ts';
import { type Message } from '../src/message.ts';

const messageOf = (number: number) => ({ id: `msg_${number}`, cursor: String(number) }) as Message;

test('yields each message once when it is further behind the live ones than it remembers', async () => {
  const log = Array.from({ length: 12_000 }, (_, index) => messageOf(index + 1));
  let publish: (message: Message) => void = () => undefined;
  const source: IterationSource = {
    onMessage(listener) {
      publish = listener;
      return () => undefined;
    },
    onEnd: () => () => undefined,
    async readPage(range) {
      const after = Number('after' in range ? range.after : 0);
      // The queue is full, and lacks what is published later.
      if (after === 0) for (const message of log.slice(100, 1101)) publish(message);
      const nodes = log.slice(after, after + 100);
      return {
        nodes,
        pageInfo: {
          startCursor: nodes[0]?.cursor ?? null,
          endCursor: nodes.at(-1)?.cursor ?? null,
          hasPreviousPage: after > 0,
          hasNextPage: after + 100 < log.length,
        },
      };
    },
  };
  const controller = new AbortController();
  const received: string[] = [];
  for await (const { id } of iterateMessages(source, { since: '0', signal: controller.signal })) {
    received.push(id);
    if (id === 'msg_12000') setImmediate(() => publish(messageOf(12_001)));
    if (id === 'msg_12001') controller.abort();
  }
  expect(received).toEqual([...log, messageOf(12_001)].map(({ id }) => id));
});
