import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChannel, mint, publish, sendDirect, subscribeToken, updateToken } from '../support/backend.ts';
import { numbers } from '../support/publish.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

const COUNT = 5;
const PAGE = 'edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';

interface List {
  name: string;
  query: (args: string) => string;
  bearer?: () => string;
  /** Whether the list can be read backwards, too. */
  isHistory?: boolean;
}

let signalbox: TestService;
let member: { id: string; credential: string };
beforeAll(async () => {
  signalbox = await startService();
  const { request } = signalbox;
  await createChannel(signalbox, 'room', { type: 'PRIVATE' });
  member = await mint(signalbox, { identity: 'ada' });
  for (const n of numbers(COUNT)) {
    const id = `place-${n}`;
    await createChannel(signalbox, id);
    await subscribeToken(signalbox, id, member.id);
    await publish(signalbox, 'room', 'before-the-membership');
    const other = await mint(signalbox, { identity: `user-${n}` });
    await subscribeToken(signalbox, 'room', other.id);
    await request('mutation ($t: ID!) { mute(token: $t, channel: "room") { id } }', { t: other.id });
    await request('mutation ($i: String!) { revokeTokens(identity: $i) { __typename } }', { i: `gone-${n}` });
    await request('mutation ($i: ID!) { createProject(input: { id: $i }) { secret } }', {
      i: `project-${n}`,
    });
    await request('mutation { createApiKey { secret } }');
    await queueResults(
      signalbox.client({ token: other.credential }),
      'subscription { events { __typename } }',
    ).next();
  }
  await subscribeToken(signalbox, 'room', member.id);
  // The last channels of the member are not visible to it.
  await updateToken(signalbox, member.id, {
    grants: [
      { channels: 'place-1', actions: ['SUBSCRIBE'] },
      { channels: 'place-3', actions: ['SUBSCRIBE'] },
      { channels: 'room', actions: ['SUBSCRIBE'] },
    ],
  });
  for (const n of numbers(COUNT)) {
    await publish(signalbox, 'room', `message-${n}`);
    await sendDirect(signalbox, member.id, `direct-${n}`);
  }
});
afterAll(() => signalbox[Symbol.asyncDispose]());

const asMember = () => member.credential;
const LISTS: List[] = [
  { name: 'channels', query: (args) => `{ list: channels${args} { ${PAGE} } }` },
  { name: 'tokens', query: (args) => `{ list: tokens${args} { ${PAGE} } }` },
  {
    name: 'tokens that are online',
    query: (args) => `{ list: tokens${args.replace('(', '(online: true, ')} { ${PAGE} } }`,
  },
  { name: 'connections', query: (args) => `{ list: connections${args} { ${PAGE} } }` },
  { name: 'projects', query: (args) => `{ list: projects${args} { ${PAGE} } }` },
  { name: 'revocations', query: (args) => `{ list: revocations${args} { ${PAGE} } }` },
  { name: 'restrictions', query: (args) => `{ list: restrictions${args} { ${PAGE} } }` },
  { name: 'Project.apiKeys', query: (args) => `{ project { list: apiKeys${args} { ${PAGE} } } }` },
  { name: 'Channel.tokens', query: (args) => `{ channel(id: "room") { list: tokens${args} { ${PAGE} } } }` },
  {
    name: 'members',
    query: (args) => `{ channel(id: "room") { presence { list: members${args} { ${PAGE} } } } }`,
  },
  {
    name: 'Viewer.channels',
    query: (args) => `{ viewer { list: channels${args} { ${PAGE} } } }`,
    bearer: asMember,
  },
  {
    name: 'Channel.messages',
    query: (args) => `{ channel(id: "room") { list: messages${args} { ${PAGE} } } }`,
    isHistory: true,
  },
  {
    name: 'Channel.messages of a member',
    query: (args) => `{ channel(id: "room") { list: messages${args} { ${PAGE} } } }`,
    bearer: asMember,
    isHistory: true,
  },
  {
    name: 'Viewer.directMessages',
    query: (args) => `{ viewer { list: directMessages${args} { ${PAGE} } } }`,
    bearer: asMember,
    isHistory: true,
  },
];

async function read({ query, bearer }: List, args: string): Promise<any> {
  let data = await signalbox.request(query(args), {}, bearer?.());
  while (data.list === undefined) data = Object.values(data)[0];
  return data.list;
}

test.each(LISTS)(
  'hasNextPage and hasPreviousPage of $name are true exactly if entries follow or precede',
  async (list) => {
    const all: string[] = (await read(list, '(first: 100)')).edges.map(({ cursor }: any) => cursor);
    expect(all.length).toBeGreaterThan(1);
    const position = fc.option(fc.nat(all.length - 1), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 7 }),
        position,
        fc.boolean(),
        async (size, at, isBackwards) => {
          const backwards = isBackwards && list.isHistory === true;
          const cursor = at === undefined ? '' : `, ${backwards ? 'before' : 'after'}: "${all[at]}"`;
          const page = await read(list, `(${backwards ? 'last' : 'first'}: ${size}${cursor})`);
          const candidates = backwards ? all.slice(0, at) : all.slice(at === undefined ? 0 : at + 1);
          const expected = backwards ? candidates.slice(-size) : candidates.slice(0, size);
          const start = backwards ? candidates.length - expected.length : at === undefined ? 0 : at + 1;
          expect(page.edges.map(({ cursor }: any) => cursor)).toEqual(expected);
          expect(page.pageInfo).toMatchObject({
            hasPreviousPage: start > 0,
            hasNextPage: start + expected.length < all.length,
          });
        },
      ),
      { numRuns: 15 },
    );
  },
);

test('messages from before a membership do not use up the pages of a member', async () => {
  const query = '{ channel(id: "room") { messages(first: 1) { nodes { event } } } }';
  const { channel } = await signalbox.request(query, {}, member.credential);
  expect(channel.messages.nodes).toEqual([{ event: 'message-0' }]);
});

test('hasPreviousPage is false when the entry of the cursor was deleted and no entry precedes it', async () => {
  const { request } = signalbox;
  await createChannel(signalbox, 'a-first');
  const after = Buffer.from('a-first').toString('base64url');
  await request('mutation { deleteChannel(id: "a-first") { id } }');
  const { channels } = await request(`{ channels(after: "${after}") { pageInfo { hasPreviousPage } } }`);
  expect(channels.pageInfo.hasPreviousPage).toBe(false);
});
