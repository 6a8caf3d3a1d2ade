import { type ServiceClient } from '../support/service.ts';
import { type Token, type FinalState, type Message, type Channel } from './record.ts';

const ONLINE = `query ($after: String) {
  page: tokens(online: true, first: 100, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } }
}`;
const CHANNEL = `query ($id: ID!) { channel(id: $id) { id version state presence { count } } }`;
const HISTORY = `query ($id: ID!, $after: Cursor) { channel(id: $id) {
  page: messages(first: 100, after: $after) {
    edges { node { id cursor previous channel data } } pageInfo { hasNextPage endCursor }
  }
} }`;
const DIRECT_MESSAGES = `query ($after: Cursor) { viewer {
  page: directMessages(first: 100, after: $after) {
    edges { node { id cursor previous channel data } } pageInfo { hasNextPage endCursor }
  }
} }`;
/** Number of tokens whose direct messages are read. */
const MAX_TOKENS_READ = 20;

interface Page<Node> {
  edges: { node: Node }[];
  pageInfo: { hasNextPage: boolean; endCursor: string };
}

/** Reads which tokens are online, and the presence count and state of each channel. */
export async function readPresence(
  { request }: ServiceClient,
  all: readonly Channel[],
): Promise<Pick<FinalState, 'online' | 'channels'>> {
  const online = await readAll<{ id: string }>(async (after) => (await request(ONLINE, { after })).page);
  const channels: FinalState['channels'] = [];
  for (const { id } of all) {
    const { version, state, presence } = (await request(CHANNEL, { id })).channel;
    channels.push({ id, version, state, presence: presence.count });
  }
  return { online: online.map(({ id }) => id), channels };
}

/** Reads the history of each channel, and the direct messages of some tokens that are still open. */
export async function readLog(
  { request }: ServiceClient,
  channels: readonly Channel[],
  tokens: Iterable<Token & { credential: string }>,
): Promise<Pick<FinalState, 'histories' | 'directMessages'>> {
  const histories: FinalState['histories'] = [];
  for (const { id } of channels) {
    const messages = await readAll<Message>(
      async (after) => (await request(HISTORY, { id, after })).channel.page,
    );
    histories.push({ id, messages });
  }
  const directMessages: FinalState['directMessages'] = [];
  for (const { name, credential, permissionPeriods } of tokens) {
    const last = permissionPeriods.at(-1);
    if (directMessages.length >= MAX_TOKENS_READ || last?.ended || last?.expiresAt) continue;
    const messages = await readAll<Message>(
      async (after) => (await request(DIRECT_MESSAGES, { after }, credential)).viewer.page,
    );
    directMessages.push({ token: name, messages });
  }
  return { histories, directMessages };
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
