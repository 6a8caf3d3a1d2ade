import { expect, test } from 'vitest';
import { createChannel, mint } from '../support/backend.ts';
import { createFolder } from '../support/folder.ts';
import { askSettings, changeSettings, codeOf, createProject } from '../support/projects.ts';
import { startService, type ServiceClient } from '../support/service.ts';

const SETTINGS = `{ project { settings {
  developmentTokens guests guestSeconds anonymous emailIdentities publishersSignal
  defaultLifetimeSeconds maxLifetimeSeconds expiryWarningSeconds expiryGraceSeconds
  permissions { roles { name like } kinds { name type } stated { role kind actions } }
} } }`;

const settingsOf = async ({ request }: ServiceClient) => (await request(SETTINGS)).project.settings;

const DEFAULTS = {
  developmentTokens: false,
  guests: true,
  guestSeconds: 3600,
  anonymous: true,
  emailIdentities: false,
  publishersSignal: false,
  defaultLifetimeSeconds: null,
  maxLifetimeSeconds: null,
  expiryWarningSeconds: null,
  expiryGraceSeconds: 0,
  permissions: { roles: [], kinds: [], stated: [] },
};

test.for([
  ['development', {}],
  ['production', { guests: false, anonymous: false }],
] as const)('gives a new project the safe defaults of %s mode', async ([mode, differs]) => {
  await using signalbox = await startService({ mode });
  expect(await settingsOf(signalbox)).toEqual({ ...DEFAULTS, ...differs });
  expect(await settingsOf(await createProject(signalbox, 'other'))).toEqual({ ...DEFAULTS, ...differs });
});

test.for([
  ['guestSeconds', 60, 86_400],
  ['defaultLifetimeSeconds', 1, 3_162_240_000],
  ['maxLifetimeSeconds', 1, 3_162_240_000],
  ['expiryWarningSeconds', 0, 86_400],
  ['expiryGraceSeconds', 0, 3600],
] as const)(
  'accepts %s from %i to %i seconds and refuses other values with BAD_USER_INPUT',
  async ([name, min, max]) => {
    await using signalbox = await startService();
    for (const value of [max, min]) {
      await changeSettings(signalbox, { [name]: value });
      expect(await settingsOf(signalbox)).toEqual({ ...DEFAULTS, [name]: value });
    }
    const invalid = name.endsWith('LifetimeSeconds') ? [min - 1, max + 1, 1.5] : [min - 1, max + 1];
    for (const value of invalid) {
      const { errors } = await askSettings(signalbox, { publishersSignal: true, [name]: value });
      expect(errors).toMatchObject([
        { extensions: { code: 'BAD_USER_INPUT', field: `settings.${name}`, retryable: false } },
      ]);
      expect(errors?.[0]?.message).toContain(`${name}: is ${value}; it must be`);
    }
    expect(await settingsOf(signalbox)).toEqual({ ...DEFAULTS, [name]: min });
  },
);

test('changes only the given settings, and null resets a nullable setting to its default', async () => {
  await using signalbox = await startService();
  const first = { guests: false, guestSeconds: 60, maxLifetimeSeconds: 90, expiryWarningSeconds: 5 };
  await changeSettings(signalbox, first);
  await changeSettings(signalbox, { emailIdentities: true });
  expect(await settingsOf(signalbox)).toEqual({ ...DEFAULTS, ...first, emailIdentities: true });
  await changeSettings(signalbox, {
    guests: null,
    guestSeconds: null,
    permissions: null,
    maxLifetimeSeconds: null,
    expiryWarningSeconds: null,
  });
  expect(await settingsOf(signalbox)).toEqual({
    ...DEFAULTS,
    guests: false,
    guestSeconds: 60,
    emailIdentities: true,
  });
});

test('refuses a default lifetime above the maximum lifetime, whether the change sets the one or the other', async () => {
  await using signalbox = await startService();
  await changeSettings(signalbox, { defaultLifetimeSeconds: 60, maxLifetimeSeconds: 60 });
  for (const change of [{ defaultLifetimeSeconds: 61 }, { maxLifetimeSeconds: 59 }]) {
    const { errors } = await askSettings(signalbox, change);
    expect(errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'settings.defaultLifetimeSeconds' } },
    ]);
  }
  await changeSettings(signalbox, { defaultLifetimeSeconds: null, maxLifetimeSeconds: 59 });
  expect(await settingsOf(signalbox)).toMatchObject({ defaultLifetimeSeconds: null, maxLifetimeSeconds: 59 });
});

test.for([
  ['STREAM', null, null],
  ['TWILIO', 3600, 86_400],
  ['OPENTOK', 86_400, 2_592_000],
] as const)(
  'sets both lifetimes from the preset %s, which is mutually exclusive with either lifetime',
  async ([lifetimes, defaultLifetimeSeconds, maxLifetimeSeconds]) => {
    await using signalbox = await startService();
    await changeSettings(signalbox, { defaultLifetimeSeconds: 7, maxLifetimeSeconds: 7 });
    await changeSettings(signalbox, { lifetimes });
    const preset = { defaultLifetimeSeconds, maxLifetimeSeconds };
    expect(await settingsOf(signalbox)).toEqual({ ...DEFAULTS, ...preset });
    for (const lifetime of [{ defaultLifetimeSeconds: 60 }, { maxLifetimeSeconds: 60 }]) {
      const { errors } = await askSettings(signalbox, { lifetimes, ...lifetime });
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'settings.lifetimes' } }]);
    }
    expect(await settingsOf(signalbox)).toEqual({ ...DEFAULTS, ...preset });
  },
);

test('lets only API keys of the project change its settings, and leaves other projects unchanged', async () => {
  await using signalbox = await startService();
  const other = await createProject(signalbox, 'other');
  const { credential } = await mint(signalbox, { role: 'MODERATOR' });
  const withToken = {
    ...signalbox,
    ask: (query: string, input?: object) => signalbox.ask(query, input, credential),
  };
  const anonymous = {
    ...signalbox,
    ask: (query: string, input?: object) => signalbox.ask(query, input, null),
  };
  expect(codeOf(await askSettings(withToken, { guests: false }))).toBe('FORBIDDEN');
  expect(codeOf(await askSettings(anonymous, { guests: false }))).toBe('UNAUTHENTICATED');
  expect(await settingsOf(signalbox)).toEqual(DEFAULTS);
  await changeSettings(other, { guests: false });
  expect([await settingsOf(signalbox), await settingsOf(other)]).toEqual([
    DEFAULTS,
    { ...DEFAULTS, guests: false },
  ]);
});

test('keeps changed settings across a restart and takes the others from the defaults of the mode', async () => {
  using folder = createFolder();
  const changed = {
    guests: true,
    expiryGraceSeconds: 30,
    permissions: {
      roles: [{ name: 'host', like: 'PUBLISHER' }],
      kinds: [{ name: 'stage', type: 'PUBLIC' }],
      stated: [{ role: 'host', kind: 'stage', actions: ['PUBLISH', 'MODERATE'] }],
    },
  };
  {
    await using signalbox = await startService({ data: folder.path });
    await changeSettings(signalbox, changed);
    await createChannel(signalbox, 'hall', { kind: 'stage' });
  }
  await using signalbox = await startService({ data: folder.path, mode: 'production' });
  expect(await settingsOf(signalbox)).toEqual({ ...DEFAULTS, anonymous: false, ...changed });
  const { credential } = await mint(signalbox, { customRole: 'host' });
  const { viewer } = await signalbox.request(
    `{ viewer { allowedActions(channel: "hall") } }`,
    {},
    credential,
  );
  expect(viewer.allowedActions).toEqual(['PUBLISH', 'MODERATE']);
});
