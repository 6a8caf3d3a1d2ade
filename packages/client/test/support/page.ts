import { createClient, SignedOut, type Status } from '@signalbox/client';
import { shareBetweenTabs } from '@signalbox/client/tabs';

/**
 * The page of the tests in a browser. Its address has the service, the channel, the user, whether it has a storage and
 * whether it shares its connection with other tabs.
 */
const parameters = new URLSearchParams(location.search);
const identity = parameters.get('identity') ?? '';
let sockets = 0;
let isRestored = false;

/** Counts the connections that this page opens, not those that it uses. */
class CountedWebSocket extends WebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    sockets++;
  }
}

const client = createClient<{ message: { text: string } }>({
  url: parameters.get('url') ?? '',
  async credential(reason) {
    const response = await fetch(`/credential?${new URLSearchParams({ identity, reason }).toString()}`);
    if (response.status === 401) throw new SignedOut();
    if (!response.ok) throw new Error(`The backend answered ${response.status}.`);
    return response.text();
  },
  webSocket: parameters.has('tabs') ? shareBetweenTabs({ webSocket: CountedWebSocket }) : CountedWebSocket,
  ...(parameters.has('storage') && { storage: () => sessionStorage }),
});
const channel = client.channel(parameters.get('channel') ?? '');
const received: string[] = [];
const failed: string[] = [];
const statuses: (Status & { at: number; cause: string | undefined })[] = [];

// `persisted`: the browser has kept the page as it was, and shows it again.
addEventListener('pageshow', ({ persisted }) => (isRestored ||= persisted));
client.on('status', (status) => statuses.push({ ...status, at: Date.now(), cause: status.error?.message }));
channel.on('message', ({ data }) => received.push(data.text));
channel.subscribe(() => undefined);

/** What a test asks of the page. */
const app = {
  say(text: string) {
    channel.publish('message', { text }).catch(() => failed.push(text));
  },
  type: () => channel.typing.start(),
  close: () => client.close(),
  report() {
    const { messages, members, typing } = channel.getSnapshot();
    return {
      received,
      failed,
      statuses,
      sockets,
      isRestored,
      shown: messages.map(({ data }) => data.text),
      states: [...new Set(messages.map(({ state }) => state))],
      members: members.map(({ key }) => key),
      typing: typing.map(({ key }) => key),
      state: client.status.state,
      connection: client.viewer?.connection,
    };
  },
};

export type Report = ReturnType<typeof app.report>;
Object.assign(globalThis, { app });
