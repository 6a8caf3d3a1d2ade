import { expect, test } from 'vitest';
import { createChannel, mint, publish, roundTrip } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

const TYPES = ['UNPROTECTED', 'PUBLIC', 'PRIVATE'] as const;
/** One of each, with nobody in it, and one PRIVATE channel that tokens are made members of. */
const CHANNELS = [...TYPES, 'MEMBERS'] as const;

const ACTIONS = {
  SUBSCRIBE: `query ($c: ID!) { channel(id: $c) { messages { nodes { id } } } }`,
  PRESENCE: `subscription ($c: ID!) { presence(channel: $c) { change } }`,
  PUBLISH: `mutation ($c: ID!) { publishMessage(channel: $c, event: "said") { repeated } }`,
  MODERATE: `mutation ($c: ID!) { setChannelState(channel: $c, state: {}) { id } }`,
};

async function startChannels(): Promise<TestService> {
  const signalbox = await startService();
  for (const type of TYPES) await createChannel(signalbox, type, { type });
  await createChannel(signalbox, 'MEMBERS', { type: 'PRIVATE' });
  return signalbox;
}

/** What came of an operation over a socket: OK, or the code of its error. */
async function attempt(
  client: ReturnType<TestService['client']>,
  query: string,
  c: string,
): Promise<unknown> {
  const taken = queueResults(client, query, { c });
  const code = (errors: unknown) => (errors as { extensions: { code: string } }[])[0]?.extensions.code;
  if (query.startsWith('subscription')) {
    await roundTrip(client);
    taken.stop();
    return code((await taken.ended) ?? []) ?? 'OK';
  }
  return taken.next().then(
    () => 'OK',
    async () => code(await taken.ended),
  );
}

test.for([
  {
    who: 'nobody in particular',
    role: null,
    allowed: { UNPROTECTED: ['SUBSCRIBE'] },
    refusal: 'UNAUTHENTICATED',
  },
  {
    who: 'a GUEST',
    role: 'GUEST',
    allowed: { UNPROTECTED: ['SUBSCRIBE', 'PRESENCE'], PUBLIC: ['SUBSCRIBE', 'PRESENCE'] },
  },
  ...(['SUBSCRIBER', 'PUBLISHER', 'MODERATOR'] as const).map((role) => {
    const actions = [
      'SUBSCRIBE',
      'PRESENCE',
      ...(role === 'SUBSCRIBER' ? [] : ['PUBLISH']),
      ...(role === 'MODERATOR' ? ['MODERATE'] : []),
    ];
    return { who: `a ${role}`, role, allowed: { UNPROTECTED: actions, PUBLIC: actions, MEMBERS: actions } };
  }),
] as {
  who: string;
  role: string | null;
  allowed: Partial<Record<(typeof CHANNELS)[number], string[]>>;
  refusal?: string;
}[])(
  '$who does in each type of channel what the matrix says, and nothing else',
  async ({ role, allowed, refusal = 'FORBIDDEN' }) => {
    await using signalbox = await startChannels();
    const params =
      role === null
        ? {}
        : {
            token: (await mint(signalbox, { role, channels: role === 'GUEST' ? [] : ['MEMBERS'] }))
              .credential,
          };
    const client = signalbox.client(params, { lazy: false });
    for (const channel of CHANNELS) {
      const may = allowed[channel] ?? [];
      for (const [action, query] of Object.entries(ACTIONS)) {
        const outcome = await attempt(client, query, channel);
        expect({ channel, action, outcome }).toEqual({
          channel,
          action,
          outcome: may.includes(action) ? 'OK' : refusal,
        });
      }
      const { viewer } = await queueResults(
        client,
        `query ($c: ID!) { viewer { allowedActions(channel: $c) } }`,
        {
          c: channel,
        },
      ).next();
      expect(viewer.allowedActions.toSorted()).toEqual(may.toSorted());

      const messages = queueResults(client, `subscription ($c: ID!) { messages(channel: $c) { event } }`, {
        c: channel,
      });
      await roundTrip(client);
      const reached = await publish(signalbox, channel, 'spoken');
      if (may.includes('SUBSCRIBE'))
        expect([reached, await messages.next()]).toEqual([1, { messages: { event: 'spoken' } }]);
      else expect([reached, await messages.ended]).toMatchObject([0, [{ extensions: { code: refusal } }]]);
    }
  },
);

test('to whoever may not enter, a closed channel and one that does not exist are the same', async () => {
  await using signalbox = await startChannels();
  const operations = [
    ...Object.values(ACTIONS).filter((query) => !query.startsWith('subscription')),
    `query ($c: ID!) { viewer { allowedActions(channel: $c) } }`,
    `mutation ($c: ID!) { patchChannelState(channel: $c, patch: {}) { id } }`,
    `mutation ($c: ID!) { deleteChannel(id: $c) { id } }`,
    `mutation ($c: ID!) { updateChannel(id: $c, input: {}) { id } }`,
  ];
  const { id, credential } = await mint(signalbox, { role: 'MODERATOR' });
  const memberships = [
    `mutation ($c: ID!) { subscribeToken(channel: $c, token: "${id}") { createdAt } }`,
    `mutation ($c: ID!) { unsubscribeToken(channel: $c, token: "${id}") { createdAt } }`,
  ];
  for (const bearer of [credential, null]) {
    for (const query of [...operations, ...memberships]) {
      const answers = ['PRIVATE', 'NOTHING'].map(async (c) =>
        JSON.stringify(await signalbox.ask(query, { c }, bearer)).replaceAll(c, '…'),
      );
      const [closed, unknown] = await Promise.all(answers);
      expect(unknown).toBe(closed);
    }
    const client = signalbox.client(bearer === null ? {} : { token: bearer });
    for (const field of [
      'messages(channel: $c) { id }',
      'presence(channel: $c) { at }',
      'channelState(channel: $c) { id }',
    ]) {
      const ends = ['PRIVATE', 'NOTHING'].map(async (c) =>
        JSON.stringify(
          await queueResults(client, `subscription ($c: ID!) { ${field} }`, { c }).ended,
        ).replaceAll(c, '…'),
      );
      const [closed, unknown] = await Promise.all(ends);
      expect(closed).toContain(bearer === null ? 'UNAUTHENTICATED' : 'FORBIDDEN');
      expect(unknown).toBe(closed);
    }
  }
});

test('channels are made, changed, listed and removed by backends alone', async () => {
  await using signalbox = await startChannels();
  const { credential } = await mint(signalbox, { role: 'MODERATOR', channels: ['MEMBERS'] });
  for (const query of [
    `mutation { createChannel(input: {}) { id } }`,
    `mutation { updateChannel(id: "MEMBERS", input: { type: UNPROTECTED }) { id } }`,
    `mutation { deleteChannel(id: "MEMBERS") { id } }`,
    `{ channels { nodes { id } } }`,
    `{ channel(id: "MEMBERS") { tokens { nodes { id } } } }`,
  ]) {
    const codes = [credential, null].map(
      async (bearer) => (await signalbox.ask(query, {}, bearer)).errors?.[0]?.extensions['code'],
    );
    expect(await Promise.all(codes)).toEqual(['FORBIDDEN', 'UNAUTHENTICATED']);
  }
});
