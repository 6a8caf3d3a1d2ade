import {
  type Channel,
  type ChannelSnapshot,
  createClient,
  type Credential,
  type CredentialReason,
  type Message,
  type SignalboxClient,
  type Status,
} from '@signalbox/client';
import { Signalbox } from '@signalbox/server';
import { WebSocket } from 'ws';

/** What every example needs: the two SDKs with their settings, and functions that wait, so that the lines keep their order. */

const url = setting('SIGNALBOX_URL', 'http://127.0.0.1:4000');
export const backend = new Signalbox(setting('SIGNALBOX_API_KEY', 'key_…, which npm start printed'), { url });

function setting(name: string, example: string): string {
  const value = process.env[name];
  if (value) return value;
  console.error(`Set ${name}, for example to ${example}.`);
  process.exit(1);
}

/** The data of messages differ in each example, and it only prints them. */
export type Events = Record<string, unknown>;

/** A client as a page has it. Node before version 22 needs the WebSocket of `ws`. */
export const connect = (
  credential: string | ((reason: CredentialReason) => Credential | Promise<Credential>),
): SignalboxClient<Events> => createClient<Events>({ url, credential, webSocket: WebSocket });

/** Resolves to the next message with this event. */
export const next = (on: Pick<Channel<Events>, 'on'>, event: string) =>
  soon<Message>(event, (resolve) => on.on(event, resolve));

/** Resolves to the next event of a type that the client has no listener for. */
export const nextEvent = <T>(client: SignalboxClient<Events>, type: string, fields: string) =>
  soon<T>(type, (resolve, error) => {
    const next = (data: unknown) => {
      const { events } = data as { events: T & { __typename: string } };
      if (events.__typename === type) resolve(events);
    };
    return client.subscribe(
      `subscription { events { __typename ... on ${type} { ${fields} } } }`,
      {},
      { next, error },
    );
  });

/** Resolves when a channel is shown as expected. */
export const shown = (channel: Channel<Events>, isExpected: (snapshot: ChannelSnapshot<Events>) => boolean) =>
  soon<ChannelSnapshot<Events>>(`The expected state of ${channel.id}`, (resolve) => {
    const check = () => isExpected(channel.getSnapshot()) && resolve(channel.getSnapshot());
    // The channel may be shown as expected already.
    queueMicrotask(check);
    return channel.subscribe(check);
  });

/** Resolves when a client is in a state; rejects when it ends in place of that. */
export const reached = (client: SignalboxClient<Events>, state: Status['state']) =>
  soon<Status>(`The state ${state}`, (resolve, reject) => {
    const check = (status: Status) => {
      if (status.state === state) resolve(status);
      else if (status.state === 'ended') reject(status.error);
    };
    client.connect();
    queueMicrotask(() => check(client.status));
    return client.on('status', check);
  });

/** Waits at most 10 s for what `listen` resolves; then stops listening. */
async function soon<T>(
  name: string,
  listen: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
): Promise<T> {
  let stop = () => {};
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`${name} has not arrived in 10 s.`)), 10_000);
      stop = listen(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    stop();
  }
}

/** The code with which a call is refused; null when it succeeds. */
export const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => null,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error) return error.code;
      throw error;
    },
  );

/** Waits for the creation of a channel or an issuer that an earlier run of the example may have created. */
export async function once(creation: Promise<unknown>): Promise<void> {
  const code = await codeOf(creation);
  if (code !== null && code !== 'CONFLICT') await creation;
}
