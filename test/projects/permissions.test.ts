import { expect, test } from 'vitest';
import { createChannel, mint, updateToken } from '../support/backend.ts';
import { askSettings, changeSettings, codeOf, createProject } from '../support/projects.ts';
import { startService, type ServiceClient } from '../support/service.ts';

const HOST = { name: 'host', like: 'SUBSCRIBER' };
const STAGE = { name: 'stage', type: 'PUBLIC' };
const permission = (role: string, kind: string, ...actions: string[]) => ({ role, kind, actions });
const times = <T>(count: number, create: (index: number) => T) =>
  Array.from({ length: count }, (_, i) => create(i));

test.for([
  ['roles[0].name', { roles: [{ ...HOST, name: '' }] }],
  ['roles[0].name', { roles: [{ ...HOST, name: 'the host' }] }],
  ['roles[0].name', { roles: [{ ...HOST, name: 'x'.repeat(65) }] }],
  ['roles[0].name', { roles: [{ ...HOST, name: 'MODERATOR' }] }],
  ['roles[0].name', { roles: [{ ...HOST, name: 'ANONYMOUS' }] }],
  ['roles[1].name', { roles: [HOST, HOST] }],
  ['roles', { roles: times(51, (i) => ({ ...HOST, name: `r${i}` })) }],
  ['kinds[0].name', { kinds: [{ ...STAGE, name: 'stage:1' }] }],
  ['kinds[0].name', { kinds: [{ ...STAGE, name: 'PRIVATE' }] }],
  ['kinds[1].name', { kinds: [STAGE, { ...STAGE, type: 'PRIVATE' }] }],
  ['kinds', { kinds: times(51, (i) => ({ ...STAGE, name: `k${i}` })) }],
  ['stated[0].role', { stated: [permission('host', 'PUBLIC')] }],
  ['stated[0].role', { stated: [permission('publisher', 'PUBLIC')] }],
  ['stated[1].kind', { stated: [permission('GUEST', 'PUBLIC'), permission('GUEST', 'stage')] }],
  [
    'stated[2]',
    {
      stated: [
        permission('GUEST', 'PUBLIC'),
        permission('GUEST', 'PRIVATE'),
        permission('GUEST', 'PUBLIC', 'PUBLISH'),
      ],
    },
  ],
  ['stated[0]', { stated: [permission('ANONYMOUS', 'UNPROTECTED', 'SUBSCRIBE', 'PUBLISH')] }],
  ['stated[0]', { stated: [permission('ANONYMOUS', 'UNPROTECTED', 'MODERATE')] }],
  ['stated[0]', { stated: [permission('ANONYMOUS', 'PUBLIC', 'SUBSCRIBE')] }],
  ['stated[0]', { stated: [permission('ANONYMOUS', 'PRIVATE', 'PRESENCE')] }],
  ['stated[0]', { kinds: [STAGE], stated: [permission('ANONYMOUS', 'stage', 'SUBSCRIBE')] }],
  ['stated', { stated: times(1001, () => permission('GUEST', 'PUBLIC')) }],
] as const)(
  'refuses invalid permissions with the field %s and changes nothing',
  async ([path, permissions]) => {
    await using signalbox = await startService({ maxMessageBytes: 1_000_000 });
    const { errors } = await askSettings(signalbox, { guests: false, permissions });
    const field = `settings.permissions.${path}`;
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
    expect(errors?.[0]?.message).toContain(`${field}: `);
    const { project } = await signalbox.request(
      `{ project { settings { guests permissions { roles { name } kinds { name } stated { role } } } } }`,
    );
    expect(project.settings).toEqual({ guests: true, permissions: { roles: [], kinds: [], stated: [] } });
  },
);

test('accepts 50 roles, 50 kinds and 1,000 permissions, and returns each action once in a fixed order', async () => {
  await using signalbox = await startService({ maxMessageBytes: 1_000_000 });
  const roles = times(50, (i) => ({ ...HOST, name: `r${i}` }));
  const kinds = times(50, (i) => ({ ...STAGE, name: `k${i}` }));
  const stated = times(1000, (i) =>
    permission(`r${i % 50}`, `k${Math.floor(i / 50)}`, 'MODERATE', 'PUBLISH', 'PUBLISH'),
  );
  await changeSettings(signalbox, { permissions: { roles, kinds, stated } });
  const { project } = await signalbox.request(
    `{ project { settings { permissions { roles { name like } kinds { name type } stated { role kind actions } } } } }`,
  );
  expect(project.settings.permissions).toEqual({
    roles,
    kinds,
    stated: stated.map((entry) => ({ ...entry, actions: ['PUBLISH', 'MODERATE'] })),
  });
});

const ALLOWED_ACTIONS = `query ($c: ID!) { viewer { allowedActions(channel: $c) } }`;

async function allowedActions(
  { request }: ServiceClient,
  channel: string,
  bearer: string | null,
): Promise<string> {
  return (await request(ALLOWED_ACTIONS, { c: channel }, bearer)).viewer.allowedActions.join(' ');
}

test('applies the permission for role and kind, else for the type, else for the like role, else the default', async () => {
  await using signalbox = await startService();
  await changeSettings(signalbox, { permissions: { roles: [HOST], kinds: [STAGE] } });
  await createChannel(signalbox, 'hall', { kind: 'stage' });
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const host = (await mint(signalbox, { customRole: 'host' })).credential;
  const subscriber = (await mint(signalbox, { role: 'SUBSCRIBER' })).credential;
  const actionsWith = async (...stated: object[]) => {
    await changeSettings(signalbox, { permissions: { roles: [HOST], kinds: [STAGE], stated } });
    return [
      await allowedActions(signalbox, 'hall', host),
      await allowedActions(signalbox, 'news', host),
      await allowedActions(signalbox, 'hall', subscriber),
    ];
  };
  const defaults = 'SUBSCRIBE PRESENCE';
  expect(await actionsWith()).toEqual([defaults, defaults, defaults]);
  const forLike = permission('SUBSCRIBER', 'PUBLIC', 'SUBSCRIBE');
  expect(await actionsWith(forLike)).toEqual(['SUBSCRIBE', 'SUBSCRIBE', 'SUBSCRIBE']);
  const forType = permission('host', 'PUBLIC', 'PUBLISH');
  expect(await actionsWith(forLike, forType)).toEqual(['PUBLISH', 'PUBLISH', 'SUBSCRIBE']);
  const forKind = permission('host', 'stage');
  expect(await actionsWith(forLike, forType, forKind)).toEqual(['', 'PUBLISH', 'SUBSCRIBE']);
});

const TOKEN = `{ viewer { token { role customRole } } }`;
const CREATE_TOKEN = `mutation ($input: CreateTokenInput!) { createToken(input: $input) { credential } }`;

test('assigns and changes a custom role, keeps it while absent lists stay unchanged, and allows a token nothing when its role is removed', async () => {
  await using signalbox = await startService();
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  await changeSettings(signalbox, { permissions: { roles: [HOST] } });
  const { id, credential } = await mint(signalbox, { customRole: 'host' });
  const roles = async () => (await signalbox.request(TOKEN, {}, credential)).viewer.token;
  expect(await roles()).toEqual({ role: 'SUBSCRIBER', customRole: 'host' });
  await updateToken(signalbox, id, { role: 'GUEST' });
  expect(await roles()).toEqual({ role: 'GUEST', customRole: null });
  await updateToken(signalbox, id, { customRole: 'host' });
  await changeSettings(signalbox, { permissions: { roles: [{ ...HOST, like: 'PUBLISHER' }] } });
  expect(await allowedActions(signalbox, 'news', credential)).toBe('SUBSCRIBE PUBLISH PRESENCE');
  await changeSettings(signalbox, { permissions: {} });
  await changeSettings(signalbox, { permissions: { kinds: [STAGE] } });
  expect(await allowedActions(signalbox, 'news', credential)).toBe('SUBSCRIBE PUBLISH PRESENCE');
  await changeSettings(signalbox, { permissions: { roles: [] } });
  expect(await roles()).toMatchObject({ customRole: 'host' });
  expect(await allowedActions(signalbox, 'news', credential)).toBe('');

  const other = await createProject(signalbox, 'other');
  await changeSettings(other, { permissions: { roles: [HOST] } });
  for (const [input, field] of [
    [{ customRole: 'host' }, 'input.customRole'],
    [{ customRole: 'PUBLISHER' }, 'input.customRole'],
    [{ customRole: 'host', role: 'GUEST' }, 'input.role'],
  ] as const) {
    const responses = [
      await signalbox.ask(CREATE_TOKEN, { input }),
      await signalbox.ask(
        `mutation ($id: ID!, $input: UpdateTokenInput!) { updateToken(id: $id, input: $input) { id } }`,
        {
          id,
          input,
        },
      ),
    ];
    for (const { errors } of responses)
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
  }
});

test('gives a channel the type of its kind, and clears the kind when the type is set', async () => {
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

test('refuses to remove or retype a kind with channels with CONFLICT, in this project only', async () => {
  await using signalbox = await startService();
  const other = await createProject(signalbox, 'other');
  for (const project of [signalbox, other])
    await changeSettings(project, { permissions: { kinds: [STAGE] } });
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
