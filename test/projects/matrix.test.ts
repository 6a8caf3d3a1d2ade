import { expect, test } from 'vitest';
import { createChannel, mint, updateToken } from '../support/backend.ts';
import { askSettings, changeSettings, codeOf, createProject } from '../support/projects.ts';
import { startService, type ServiceClient } from '../support/service.ts';

const HOST = { name: 'host', like: 'SUBSCRIBER' };
const STAGE = { name: 'stage', type: 'PUBLIC' };
const cell = (role: string, kind: string, ...actions: string[]) => ({ role, kind, actions });
const many = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, i) => make(i));

test.for([
  ['roles[0].name', { roles: [{ ...HOST, name: '' }] }],
  ['roles[0].name', { roles: [{ ...HOST, name: 'the host' }] }],
  ['roles[0].name', { roles: [{ ...HOST, name: 'x'.repeat(65) }] }],
  ['roles[0].name', { roles: [{ ...HOST, name: 'MODERATOR' }] }],
  ['roles[0].name', { roles: [{ ...HOST, name: 'ANONYMOUS' }] }],
  ['roles[1].name', { roles: [HOST, HOST] }],
  ['roles', { roles: many(51, (i) => ({ ...HOST, name: `r${i}` })) }],
  ['kinds[0].name', { kinds: [{ ...STAGE, name: 'stage:1' }] }],
  ['kinds[0].name', { kinds: [{ ...STAGE, name: 'PRIVATE' }] }],
  ['kinds[1].name', { kinds: [STAGE, { ...STAGE, type: 'PRIVATE' }] }],
  ['kinds', { kinds: many(51, (i) => ({ ...STAGE, name: `k${i}` })) }],
  ['stated[0].role', { stated: [cell('host', 'PUBLIC')] }],
  ['stated[0].role', { stated: [cell('publisher', 'PUBLIC')] }],
  ['stated[1].kind', { stated: [cell('GUEST', 'PUBLIC'), cell('GUEST', 'stage')] }],
  [
    'stated[2]',
    { stated: [cell('GUEST', 'PUBLIC'), cell('GUEST', 'PRIVATE'), cell('GUEST', 'PUBLIC', 'PUBLISH')] },
  ],
  ['stated[0]', { stated: [cell('ANONYMOUS', 'UNPROTECTED', 'SUBSCRIBE', 'PUBLISH')] }],
  ['stated[0]', { stated: [cell('ANONYMOUS', 'UNPROTECTED', 'MODERATE')] }],
  ['stated[0]', { stated: [cell('ANONYMOUS', 'PUBLIC', 'SUBSCRIBE')] }],
  ['stated[0]', { stated: [cell('ANONYMOUS', 'PRIVATE', 'PRESENCE')] }],
  ['stated[0]', { kinds: [STAGE], stated: [cell('ANONYMOUS', 'stage', 'SUBSCRIBE')] }],
  ['stated', { stated: many(1001, () => cell('GUEST', 'PUBLIC')) }],
] as const)(
  'what is wrong with %s is refused by its name, and nothing is changed',
  async ([at, permissions]) => {
    await using signalbox = await startService({ maxMessageBytes: 1_000_000 });
    const { errors } = await askSettings(signalbox, { guests: false, permissions });
    const field = `settings.permissions.${at}`;
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
    expect(errors?.[0]?.message).toContain(`${field}: `);
    const { project } = await signalbox.request(
      `{ project { settings { guests permissions { roles { name } kinds { name } stated { role } } } } }`,
    );
    expect(project.settings).toEqual({ guests: true, permissions: { roles: [], kinds: [], stated: [] } });
  },
);

test('a matrix may have 50 roles, 50 kinds and 1,000 statements, each action once, in one order', async () => {
  await using signalbox = await startService({ maxMessageBytes: 1_000_000 });
  const roles = many(50, (i) => ({ ...HOST, name: `r${i}` }));
  const kinds = many(50, (i) => ({ ...STAGE, name: `k${i}` }));
  const stated = many(1000, (i) =>
    cell(`r${i % 50}`, `k${Math.floor(i / 50)}`, 'MODERATE', 'PUBLISH', 'PUBLISH'),
  );
  await changeSettings(signalbox, { permissions: { roles, kinds, stated } });
  const { project } = await signalbox.request(
    `{ project { settings { permissions { roles { name like } kinds { name type } stated { role kind actions } } } } }`,
  );
  expect(project.settings.permissions).toEqual({
    roles,
    kinds,
    stated: stated.map((one) => ({ ...one, actions: ['PUBLISH', 'MODERATE'] })),
  });
});

const MAY = `query ($c: ID!) { viewer { allowedActions(channel: $c) } }`;

async function may({ request }: ServiceClient, channel: string, bearer: string | null): Promise<string> {
  return (await request(MAY, { c: channel }, bearer)).viewer.allowedActions.join(' ');
}

test('what is stated for a role in a kind holds, else for its like or its type, else what holds everywhere', async () => {
  await using signalbox = await startService();
  await changeSettings(signalbox, { permissions: { roles: [HOST], kinds: [STAGE] } });
  await createChannel(signalbox, 'hall', { kind: 'stage' });
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const host = (await mint(signalbox, { customRole: 'host' })).credential;
  const subscriber = (await mint(signalbox, { role: 'SUBSCRIBER' })).credential;
  const here = async (...stated: object[]) => {
    await changeSettings(signalbox, { permissions: { roles: [HOST], kinds: [STAGE], stated } });
    return [
      await may(signalbox, 'hall', host),
      await may(signalbox, 'news', host),
      await may(signalbox, 'hall', subscriber),
    ];
  };
  const listens = 'SUBSCRIBE PRESENCE';
  expect(await here()).toEqual([listens, listens, listens]);
  const like = cell('SUBSCRIBER', 'PUBLIC', 'SUBSCRIBE');
  expect(await here(like)).toEqual(['SUBSCRIBE', 'SUBSCRIBE', 'SUBSCRIBE']);
  const own = cell('host', 'PUBLIC', 'PUBLISH');
  expect(await here(like, own)).toEqual(['PUBLISH', 'PUBLISH', 'SUBSCRIBE']);
  const exact = cell('host', 'stage');
  expect(await here(like, own, exact)).toEqual(['', 'PUBLISH', 'SUBSCRIBE']);
});

const TOKEN = `{ viewer { token { role customRole } } }`;
const CREATE_TOKEN = `mutation ($input: CreateTokenInput!) { createToken(input: $input) { credential } }`;

test('a token is given a role of the project’s own, or another one, and loses all with a role that is gone', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  await changeSettings(signalbox, { permissions: { roles: [HOST] } });
  const { id, credential } = await mint(signalbox, { customRole: 'host' });
  const who = async () => (await signalbox.request(TOKEN, {}, credential)).viewer.token;
  expect(await who()).toEqual({ role: 'SUBSCRIBER', customRole: 'host' });
  await updateToken(signalbox, id, { role: 'GUEST' });
  expect(await who()).toEqual({ role: 'GUEST', customRole: null });
  await updateToken(signalbox, id, { customRole: 'host' });
  await changeSettings(signalbox, { permissions: { roles: [{ ...HOST, like: 'PUBLISHER' }] } });
  expect(await may(signalbox, 'news', credential)).toBe('SUBSCRIBE PUBLISH PRESENCE');
  await changeSettings(signalbox, { permissions: {} });
  expect(await who()).toMatchObject({ customRole: 'host' });
  expect(await may(signalbox, 'news', credential)).toBe('');

  const other = await createProject(signalbox, 'other');
  await changeSettings(other, { permissions: { roles: [HOST] } });
  for (const [input, field] of [
    [{ customRole: 'host' }, 'input.customRole'],
    [{ customRole: 'PUBLISHER' }, 'input.customRole'],
    [{ customRole: 'host', role: 'GUEST' }, 'input.role'],
  ] as const) {
    const answers = [
      await signalbox.ask(CREATE_TOKEN, { input }),
      await signalbox.ask(
        `mutation ($id: ID!, $input: UpdateTokenInput!) { updateToken(id: $id, input: $input) { id } }`,
        {
          id,
          input,
        },
      ),
    ];
    for (const { errors } of answers)
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
  }
});

test('a channel is given a kind of the project’s own, which brings its type', async () => {
  await using signalbox = await startService();
  await changeSettings(signalbox, { permissions: { kinds: [STAGE, { name: 'vault', type: 'PRIVATE' }] } });
  await createChannel(signalbox, 'hall', { kind: 'stage' });
  const hall = async () => (await signalbox.request(`{ channel(id: "hall") { type kind } }`)).channel;
  const update = `mutation ($input: UpdateChannelInput!) { updateChannel(id: "hall", input: $input) { type kind } }`;
  const change = async (input: object) => (await signalbox.request(update, { input })).updateChannel;
  expect(await hall()).toEqual({ type: 'PUBLIC', kind: 'stage' });
  expect(await change({ kind: 'vault' })).toEqual({ type: 'PRIVATE', kind: 'vault' });
  expect(await change({ history: { messages: 1 } })).toEqual({ type: 'PRIVATE', kind: 'vault' });
  expect(await change({ type: 'PUBLIC' })).toEqual({ type: 'PUBLIC', kind: null });
  const create = `mutation ($input: CreateChannelInput!) { createChannel(input: $input) { id } }`;
  for (const input of [{ kind: 'cellar' }, { kind: 'PUBLIC' }, { kind: 'stage', type: 'PUBLIC' }])
    for (const { errors } of [await signalbox.ask(create, { input }), await signalbox.ask(update, { input })])
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'input.kind' } }]);
  expect(await hall()).toEqual({ type: 'PUBLIC', kind: null });
});

test('a kind that channels are of is not taken away and keeps its type; others do as they please', async () => {
  await using signalbox = await startService();
  const other = await createProject(signalbox, 'other');
  for (const doors of [signalbox, other]) await changeSettings(doors, { permissions: { kinds: [STAGE] } });
  await createChannel(signalbox, 'hall', { kind: 'stage' });
  for (const kinds of [[], [{ ...STAGE, type: 'UNPROTECTED' }], [{ ...STAGE, name: 'foyer' }]]) {
    const refused = await askSettings(signalbox, { guests: false, permissions: { kinds } });
    expect(codeOf(refused)).toBe('CONFLICT');
    expect(refused.errors?.[0]?.message).toContain('stage');
    expect(codeOf(await askSettings(other, { permissions: { kinds } }))).toBeUndefined();
  }
  const { project } = await signalbox.request(
    `{ project { settings { guests permissions { kinds { name type } } } } }`,
  );
  expect(project.settings).toEqual({ guests: true, permissions: { kinds: [STAGE] } });
  await signalbox.request(`mutation { deleteChannel(id: "hall") { id } }`);
  await changeSettings(signalbox, { permissions: { kinds: [] } });
});
