import { createRequire } from 'node:module';
import { type Writable } from 'node:stream';

/** The frame parser of `ws`; its type definitions omit it. */
const { Receiver } = createRequire(import.meta.url)('ws') as {
  Receiver: new (options: { isServer: boolean; maxPayload: number }) => Writable;
};

const MAX_PAYLOAD = 2 ** 24;

/** Parses the bytes that a server sent into the messages that a WebSocket client reads. Rejects if a frame is invalid. */
export async function readFrames(chunks: Iterable<Buffer>): Promise<any[]> {
  const receiver = new Receiver({ isServer: false, maxPayload: MAX_PAYLOAD });
  const messages: any[] = [];
  receiver.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString())));
  await new Promise<void>((resolve, reject) => {
    receiver.on('error', reject);
    receiver.on('finish', resolve);
    for (const chunk of chunks) receiver.write(chunk);
    receiver.end();
  });
  return messages;
}
