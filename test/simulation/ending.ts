import { type ServiceClient } from '../support/service.ts';
import { type Bearer, type Ending, type Message, type Place } from './record.ts';

const ONLINE = `query ($after: String) {
  page: tokens(online: true, first: 100, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } }
}`;
const CHANNEL = `query ($id: ID!) { channel(id: $id) { id version state presence { count } } }`;
const HISTORY = `query ($id: ID!, $after: Cursor) { channel(id: $id) {
  page: messages(first: 100, after: $after) {
    edges { node { id cursor previous channel data } } pageInfo { hasNextPage endCursor }
  }
} }`;
const MAIL = `query ($after: Cursor) { viewer {
  page: directMessages(first: 100, after: $after) {
    edges { node { id cursor previous channel data } } pageInfo { hasNextPage endCursor }
  }
} }`;
/** Tokens that are asked what waits for them. */
const MAILBOXES = 20;

interface Page<Node> {
  edges: { node: Node }[];
  pageInfo: { hasNextPage: boolean; endCursor: string };
}

/** Who is here, as the service has it. */
export async function readPresence(
  { request }: ServiceClient,
  places: readonly Place[],
): Promise<Pick<Ending, 'online' | 'channels'>> {
  const online = await readAll<{ id: string }>(async (after) => (await request(ONLINE, { after })).page);
  const channels: Ending['channels'] = [];
  for (const { id } of places) {
    const { version, state, presence } = (await request(CHANNEL, { id })).channel;
    channels.push({ id, version, state, presence: presence.count });
  }
  return { online: online.map(({ id }) => id), channels };
}

/** What was kept, as the service has it. */
export async function readLog(
  { request }: ServiceClient,
  places: readonly Place[],
  bearers: Iterable<Bearer & { credential: string }>,
): Promise<Pick<Ending, 'histories' | 'mail'>> {
  const histories: Ending['histories'] = [];
  for (const { id } of places) {
    const messages = await readAll<Message>(
      async (after) => (await request(HISTORY, { id, after })).channel.page,
    );
    histories.push({ id, messages });
  }
  const mail: Ending['mail'] = [];
  for (const { name, credential, regimes } of bearers) {
    const last = regimes.at(-1);
    if (mail.length >= MAILBOXES || last?.ended || last?.expiresAt) continue;
    const messages = await readAll<Message>(
      async (after) => (await request(MAIL, { after }, credential)).viewer.page,
    );
    mail.push({ bearer: name, messages });
  }
  return { histories, mail };
}

async function readAll<Node>(read: (after: string | undefined) => Promise<Page<Node>>): Promise<Node[]> {
  const nodes: Node[] = [];
  for (let after: string | undefined, hasMore = true; hasMore;) {
    const { edges, pageInfo } = await read(after);
    nodes.push(...edges.map(({ node }) => node));
    after = pageInfo.endCursor;
    hasMore = pageInfo.hasNextPage;
  }
  return nodes;
}
