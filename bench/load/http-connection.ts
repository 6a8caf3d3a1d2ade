import { connect, type Socket } from 'node:net';
import { type Endpoint } from '../contender.ts';
import { markActive } from './busy-poll.ts';

/** What came of a request. */
export interface Answer {
  /** 200 and no errors. */
  readonly isGood: boolean;
  /** All of it, head included; or why there is none. */
  readonly text: string;
  readonly at: number;
  /** From sending the request to the end of the answer. */
  readonly tookMs: number;
}

/** One keep-alive connection for one POST, which can be sent again once it is answered. */
export class HttpConnection implements Disposable {
  readonly #socket: Socket;
  readonly #request: Buffer;
  readonly #hear: (answer: Answer, connection: HttpConnection) => void;
  #received = '';
  #sentAt = 0;

  constructor(
    { port, apiKey }: Endpoint,
    body: string,
    hear: (answer: Answer, connection: HttpConnection) => void,
  ) {
    this.#hear = hear;
    const authorization = apiKey === undefined ? '' : `Authorization: Bearer ${apiKey}\r\n`;
    this.#request = Buffer.from(
      `POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${authorization}Content-Type: application/json\r\n` +
        `Accept: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#read(text));
    this.#socket.on('error', (error) => this.#answered(false, error.message));
    this.#socket.on('end', () => this.#answered(false, 'The server hung up.'));
  }

  send(): void {
    markActive();
    this.#sentAt = performance.now();
    this.#socket.write(this.#request);
  }

  #read(text: string): void {
    markActive();
    this.#received += text;
    const length = lengthOf(this.#received);
    if (length === undefined || this.#received.length < length) return;
    const answer = this.#received;
    this.#received = '';
    this.#answered(answer.startsWith('HTTP/1.1 200') && !answer.includes('"errors"'), answer);
  }

  #answered(isGood: boolean, text: string): void {
    const at = performance.now();
    this.#hear({ isGood, text, at, tookMs: at - this.#sentAt }, this);
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
