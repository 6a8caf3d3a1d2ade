import { expect, test } from 'vitest';
import { createChannel, mint, publish, roundTrip } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { startService, type TestService } from '../support/service.ts';

const TYPES = ['UNPROTECTED', 'PUBLIC', 'PRIVATE'] as const;
/** One channel of each type without members, and MEMBERS, a PRIVATE channel that tokens are subscribed to. */
const CHANNELS = [...TYPES, 'MEMBERS'] as const;

const ACTIONS = {
  SUBSCRIBE: `query ($c: ID!) { channel(id: $c) { messages { nodes { id } } } }`,
  PRESENCE: `subscription ($c: ID!) { presence(channel: $c) { change } }`,
  PUBLISH: `mutation ($c: ID!) { publishMessage(channel: $c, event: "published") { repeated } }`,
  MODERATE: `mutation ($c: ID!) { setChannelState(channel: $c, state: {}) { id } }`,
};

async function startChannels(): Promise<TestService> {
  const signalbox = await startService();
  for (const type of TYPES) await createChannel(signalbox, type, { type });
  await createChannel(signalbox, 'MEMBERS', { type: 'PRIVATE' });
  return signalbox;
}

/** Runs an operation over a WebSocket; resolves to OK or to the error code. */
async function outcomeOf(
  client: ReturnType<TestService['client']>,
  query: string,
  c: string,
): Promise<unknown> {
  const results = queueResults(client, query, { c });
  const code = (errors: unknown) => (errors as { extensions: { code: string } }[])[0]?.extensions.code;
  if (query.startsWith('subscription')) {
    await roundTrip(client);
    results.stop();
    return code((await results.ended) ?? []) ?? 'OK';
  }
  return results.next().then(
    () => 'OK',
    async () => code(await results.ended),
  );
}

test.for([
  {
    who: 'an anonymous caller',
    role: null,
    allowed: { UNPROTECTED: ['SUBSCRIBE'] },
    refusedWith: 'UNAUTHENTICATED',
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
  refusedWith?: string;
}[])(
  '$who may take exactly the actions that the permission matrix allows in each channel type',
  async ({ role, allowed, refusedWith = 'FORBIDDEN' }) => {
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
      const expected = allowed[channel] ?? [];
      for (const [action, query] of Object.entries(ACTIONS)) {
        const outcome = await outcomeOf(client, query, channel);
        expect({ channel, action, outcome }).toEqual({
          channel,
          action,
          outcome: expected.includes(action) ? 'OK' : refusedWith,
        });
      }
      const { viewer } = await queueResults(
        client,
        `query ($c: ID!) { viewer { allowedActions(channel: $c) } }`,
        {
          c: channel,
        },
      ).next();
      expect(viewer.allowedActions.toSorted()).toEqual(expected.toSorted());

      const messages = queueResults(client, `subscription ($c: ID!) { messages(channel: $c) { event } }`, {
        c: channel,
      });
      await roundTrip(client);
      const connections = await publish(signalbox, channel, 'published');
      if (expected.includes('SUBSCRIBE'))
        expect([connections, await messages.next()]).toEqual([1, { messages: { event: 'published' } }]);
      else
        expect([connections, await messages.ended]).toMatchObject([
          0,
          [{ extensions: { code: refusedWith } }],
        ]);
    }
  },
);

test('returns the same error for a forbidden channel and for one that does not exist', async () => {
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
      const responses = ['PRIVATE', 'NOTHING'].map(async (c) =>
        JSON.stringify(await signalbox.ask(query, { c }, bearer)).replaceAll(c, '…'),
      );
      const [forbidden, unknown] = await Promise.all(responses);
      expect(unknown).toBe(forbidden);
    }
    const client = signalbox.client(bearer === null ? {} : { token: bearer });
    for (const field of [
      'messages(channel: $c) { id }',
      'presence(channel: $c) { at }',
      'channelState(channel: $c) { id }',
    ]) {
      const errors = ['PRIVATE', 'NOTHING'].map(async (c) =>
        JSON.stringify(
          await queueResults(client, `subscription ($c: ID!) { ${field} }`, { c }).ended,
        ).replaceAll(c, '…'),
      );
      const [forbidden, unknown] = await Promise.all(errors);
      expect(forbidden).toContain(bearer === null ? 'UNAUTHENTICATED' : 'FORBIDDEN');
      expect(unknown).toBe(forbidden);
    }
  }
});

test('refuses to create, update, delete and list channels without an API key', async () => {
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
