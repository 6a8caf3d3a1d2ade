import { connect, type Socket } from 'node:net';
import { type Endpoint } from '../contender.ts';
import { markActive } from './busy-poll.ts';

/** The outcome of a request. */
export interface Answer {
  /** Whether the status is 200 and the body has no errors. */
  readonly isSuccess: boolean;
  /** The whole response with its head, or the cause if there is no response. */
  readonly text: string;
  readonly at: number;
  /** Time from sending the request to the end of the response. */
  readonly tookMs: number;
}

/** One keep-alive connection that sends the same POST request repeatedly, each after the previous answer. */
export class HttpConnection implements Disposable {
  readonly #socket: Socket;
  readonly #request: Buffer;
  readonly #onAnswer: (answer: Answer, connection: HttpConnection) => void;
  #received = '';
  #sentAt = 0;

  constructor(
    { port, apiKey }: Endpoint,
    body: string,
    onAnswer: (answer: Answer, connection: HttpConnection) => void,
  ) {
    this.#onAnswer = onAnswer;
    const authorization = apiKey === undefined ? '' : `Authorization: Bearer ${apiKey}\r\n`;
    this.#request = Buffer.from(
      `POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${authorization}Content-Type: application/json\r\n` +
        `Accept: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#read(text));
    this.#socket.on('error', (error) => this.#finish(false, error.message));
    this.#socket.on('end', () => this.#finish(false, 'The server closed the connection.'));
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
    this.#finish(answer.startsWith('HTTP/1.1 200') && !answer.includes('"errors"'), answer);
  }

  #finish(isSuccess: boolean, text: string): void {
    const at = performance.now();
    this.#onAnswer({ isSuccess, text, at, tookMs: at - this.#sentAt }, this);
  }

  [Symbol.dispose](): void {
    this.#socket.resetAndDestroy();
  }
}

/** The length of the whole response with its head, or undefined if it is not known yet. */
function lengthOf(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  if (length !== undefined) return end + 4 + Number(length);
  return text.endsWith('\r\n0\r\n\r\n') ? text.length : undefined;
}
