import { createRequire } from 'node:module';
import { type Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { textFrame } from '../../src/transport/websocket-frame.ts';

/** The frame parser of `ws`, which its types omit. */
const { Receiver } = createRequire(import.meta.url)('ws') as {
  Receiver: new (options: { isServer: boolean; maxPayload: number }) => Writable;
};

/** Parses the chunks as a client does and resolves to the messages. */
async function receive(chunks: Iterable<Buffer>): Promise<{ text: string; isBinary: boolean }[]> {
  const receiver = new Receiver({ isServer: false, maxPayload: 2 ** 20 });
  const messages: { text: string; isBinary: boolean }[] = [];
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    messages.push({ text: data.toString(), isBinary });
  });
  await new Promise<void>((resolve, reject) => {
    receiver.on('error', reject);
    receiver.on('finish', resolve);
    for (const chunk of chunks) receiver.write(chunk);
    receiver.end();
  });
  return messages;
}

function* inChunks(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const LENGTHS = [0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 65_534, 65_535, 65_536, 65_537, 200_000];

test.each(LENGTHS)(
  'ws reads back a frame of %i bytes, which has the shortest possible header',
  async (length) => {
    const text = 'x'.repeat(length);
    const frame = textFrame(text);
    const [received, ...others] = await receive([frame]);
    // Compares outside of the assertion, whose report would print 200,000 characters.
    expect({ same: received?.text === text, isBinary: received?.isBinary, others }).toEqual({
      same: true,
      isBinary: false,
      others: [],
    });
    expect(frame.length - length).toBe(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  },
);

test('ws reads all frames of one write, wherever the network splits it', async () => {
  const texts = LENGTHS.map((length, index) => String.fromCodePoint(0x1d11e + index).repeat(length >> 2));
  const write = Buffer.concat(texts.map((text) => textFrame(text)));
  for (const size of [write.length, 65_537, 1021]) {
    const received = await receive(inChunks(write, size));
    expect(received).toHaveLength(texts.length);
    texts.forEach((text, index) => expect(received[index]?.text === text, `message ${index}`).toBe(true));
  }
});

test('a frame is an unfragmented, unmasked text frame', () => {
  const [first, second] = textFrame('hello');
  expect(first).toBe(0b1000_0001);
  expect(second).toBe(5);
});
