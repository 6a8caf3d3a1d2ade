import { connect, type Socket } from 'node:net';
import { type Endpoint } from '../contender.ts';

/** One keep-alive connection that sends the same POST again as soon as it is answered. */
export class HttpConnection implements Disposable {
  readonly #socket: Socket;
  readonly #request: Buffer;
  readonly #answered: (isGood: boolean, answer: string) => boolean;
  #received = '';

  /** @param answered hears of each answer; false from it ends the row. */
  constructor(
    { port, apiKey }: Endpoint,
    body: string,
    answered: (isGood: boolean, answer: string) => boolean,
  ) {
    this.#answered = answered;
    const authorization = apiKey === undefined ? '' : `Authorization: Bearer ${apiKey}\r\n`;
    this.#request = Buffer.from(
      `POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${authorization}Content-Type: application/json\r\n` +
        `Accept: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#read(text));
    this.#socket.on('error', (error) => answered(false, error.message));
  }

  send(): void {
    this.#socket.write(this.#request);
  }

  #read(text: string): void {
    this.#received += text;
    const length = lengthOf(this.#received);
    if (length === undefined || this.#received.length < length) return;
    const answer = this.#received;
    this.#received = '';
    const isGood = answer.startsWith('HTTP/1.1 200') && !answer.includes('"errors"');
    if (this.#answered(isGood, answer)) this.send();
  }

  [Symbol.dispose](): void {
    this.#socket.resetAndDestroy();
  }
}

/** Of the whole answer, head included; undefined until that is known. */
function lengthOf(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  if (length !== undefined) return end + 4 + Number(length);
  return text.endsWith('\r\n0\r\n\r\n') ? text.length : undefined;
}
