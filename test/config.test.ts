import { expect, test } from 'vitest';
import { ConfigError, defaultConfig, readConfig } from '../src/config.ts';
import { SETTINGS } from '../src/settings.ts';

type Name = keyof typeof SETTINGS;
interface Setting {
  env: string;
  default: string | number;
  unit: string;
  min?: number;
  max?: number;
  choices?: readonly string[];
  about: string;
}
const settings = Object.entries(SETTINGS) as [Name, Setting][];
const numbers = settings.filter(([, setting]) => typeof setting.default === 'number');
const choices = settings.filter(([, setting]) => setting.choices !== undefined);
const texts = settings.filter(([, { unit }]) => unit === 'text');
// The values of origins and hosts are checked in tests of their own.
const lists = settings.filter(([, { unit }]) => ['list', 'origins'].includes(unit));

const hosts = settings.filter(([, { unit }]) => unit === 'hosts');

const API_KEY = 'key_one.0123456789abcdef-_XYZ';

/** The lines of the ConfigError; empty if the settings are valid. */
function errorsOf(env: Record<string, string>): string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message.split('\n');
  }
}

test('every setting is a number, a choice, a text, a list or a list of hosts', () => {
  const kinds = [numbers, choices, texts, lists, hosts];
  expect(kinds.flat()).toHaveLength(settings.length);
});

test.each(numbers)(
  '%s has a default within its range, and accepts both ends of the range',
  (name, setting) => {
    const { env, default: defaultValue, min, max } = setting;
    expect(defaultValue).toBeGreaterThanOrEqual(min!);
    expect(defaultValue).toBeLessThanOrEqual(max!);
    expect(readConfig({}).config[name]).toBe(defaultValue);
    for (const value of [min!, max!]) expect(readConfig({ [env]: String(value) }).config[name]).toBe(value);
  },
);

test.each(numbers)('%s is refused outside its range and when it is not a whole number', (_, setting) => {
  const { env, min, max } = setting;
  const bad = [
    min! - 1,
    max! + 1,
    min! + 0.5,
    `${min!} `,
    `+${max!}`,
    '1e3',
    '0x10',
    'many',
    '-0',
    '1'.repeat(400),
  ];
  for (const value of bad.map(String)) {
    expect(errorsOf({ [env]: value })).toEqual([
      expect.stringMatching(
        new RegExp(`^${env} is “.*”; it must be a whole number from ${min} to ${max} \\(.+\\)\\.$`),
      ),
    ]);
  }
});

test.each(choices)('%s accepts each of its choices and nothing else', (name, setting) => {
  const { env, default: defaultValue, choices: among } = setting;
  expect(readConfig({}).config[name]).toBe(defaultValue);
  for (const choice of among!) expect(readConfig({ [env]: choice }).config[name]).toBe(choice);
  for (const bad of ['neither', 'toString', among![0]!.toUpperCase(), ` ${among![0]}`]) {
    expect(errorsOf({ [env]: bad })).toEqual([`${env} is “${bad}”; it must be one of ${among!.join(', ')}.`]);
  }
});

test.each(texts)('%s takes any text', (name, { env, default: defaultValue }) => {
  expect(readConfig({}).config[name]).toBe(defaultValue);
  expect(readConfig({ [env]: ' ./a b ' }).config[name]).toBe(' ./a b ');
});

test.each(texts)('%s is refused in quotation marks and with a ~ that no shell has replaced', (_, { env }) => {
  for (const [value, remedy] of [
    ['"/var/lib/signalbox"', 'without quotation marks'],
    ["'127.0.0.1'", 'without quotation marks'],
    ['""', 'without quotation marks'],
    ['~/data', 'instead of ~'],
    ['~', 'instead of ~'],
  ] as const)
    expect(errorsOf({ [env]: value })).toEqual([expect.stringMatching(new RegExp(`^${env} is .*${remedy}`))]);
  for (const value of ['a"b"', '"', './~/data', 'data~'])
    expect(readConfig({ [env]: value }).warnings).toEqual([]);
});

test('warns of white space around a text, and of a variable in another letter case', () => {
  expect(readConfig({ HOST: '127.0.0.1\n', SIGNALBOX_DATA: ' ./data' }).warnings).toEqual([
    'HOST begins or ends with white space, which counts as part of the value.',
    'SIGNALBOX_DATA begins or ends with white space, which counts as part of the value.',
  ]);
  expect(readConfig({ signalbox_origins: '*', 'SIGNALBOX-HOSTS': '*' }).warnings).toEqual([
    'signalbox_origins is not a setting and is ignored. Did you mean SIGNALBOX_ORIGINS?',
    'SIGNALBOX-HOSTS is not a setting and is ignored. Did you mean SIGNALBOX_HOSTS?',
  ]);
  expect(
    readConfig({ SIGNALBOX_URL: 'https://realtime.example', SIGNALBOX_CREDENTIAL: 'x' }).warnings,
  ).toEqual([]);
});

test.each([`${API_KEY}\n`, ` ${API_KEY}`, `"${API_KEY}"`, `'${API_KEY}'`])(
  'refuses an API key with white space or quotation marks around it, and names them: %j',
  (apiKey) => {
    expect(errorsOf({ SIGNALBOX_API_KEY: apiKey })).toEqual([
      expect.stringMatching(/white space or quotation marks; remove them\.$/),
    ]);
    expect(errorsOf({ SIGNALBOX_API_KEY: 'secret' })[0]).not.toContain('white space');
  },
);

test.each(lists)('%s is a list between commas', (name, { env }) => {
  expect(readConfig({}).config[name]).toEqual([]);
  expect(readConfig({ [env]: 'https://a.example, null ,,*' }).config[name]).toEqual([
    'https://a.example',
    'null',
    '*',
  ]);
});

test('an empty variable counts as absent', () => {
  const empty = Object.fromEntries(settings.map(([, { env }]) => [env, '']));
  expect(readConfig({ ...empty, SIGNALBOX_API_KEY: '' })).toEqual(readConfig({}));
});

test('every setting has its own environment variable and a description', () => {
  expect(new Set(settings.map(([, { env }]) => env)).size).toBe(settings.length);
  for (const [, { about }] of settings) expect(about).toMatch(/[.]$/);
});

test('port, host and data folder have the defaults of the process contract', () => {
  const { port, host, data } = readConfig({}).config;
  expect({ port, host, data }).toEqual({ port: 4000, host: '127.0.0.1', data: './data' });
});

test('one ConfigError lists all invalid settings, one line each', () => {
  const env = Object.fromEntries([...numbers, ...choices].map(([, setting]) => [setting.env, 'wrong']));
  const errors = errorsOf({ ...env, SIGNALBOX_API_KEY: 'wrong' });
  expect(errors.map((line) => line.split(' ')[0])).toEqual([
    ...settings.filter(([, setting]) => env[setting.env]).map(([, setting]) => setting.env),
    'SIGNALBOX_API_KEY',
  ]);
});

test('the API key is returned in secrets and is not part of config', () => {
  const { config, secrets } = readConfig({ SIGNALBOX_API_KEY: API_KEY });
  expect(secrets).toEqual({ apiKey: API_KEY });
  expect(JSON.stringify(config)).not.toContain('0123456789abcdef');
  expect(readConfig({}).secrets).toEqual({});
});

test('SIGNALBOX_DATABASE_URL is a secret, requires a master key, and no error contains it', () => {
  const [url, key] = ['postgres://u:sesame@host/db', 'm'.repeat(32)];
  const { config, secrets } = readConfig({ SIGNALBOX_DATABASE_URL: url, SIGNALBOX_MASTER_KEY: key });
  expect(secrets).toEqual({ databaseUrl: url, masterKeys: [key] });
  expect(JSON.stringify(config)).not.toContain('sesame');
  const alone = errorsOf({ SIGNALBOX_DATABASE_URL: url });
  expect(alone).toEqual([expect.stringContaining('SIGNALBOX_MASTER_KEY is required')]);
  const wrong = errorsOf({ SIGNALBOX_DATABASE_URL: 'mysql://u:sesame@host/db', SIGNALBOX_MASTER_KEY: key });
  expect(wrong).toEqual([expect.stringContaining('must look like postgres://')]);
  expect([...alone, ...wrong].join('')).not.toContain('sesame');
});

test.each([
  ['another prefix', 'kex_one.0123456789abcdef'],
  ['no id', 'key_.0123456789abcdef'],
  ['no secret', 'key_one'],
  ['a short secret', 'key_one.0123456789abcde'],
  ['a space in it', 'key_one.0123456789 abcdef'],
  ['a line break at the end', `${API_KEY}\n`],
])('an API key with %s is refused, and the error does not contain it', (_, apiKey) => {
  const [error, ...others] = errorsOf({ SIGNALBOX_API_KEY: apiKey });
  expect(others).toEqual([]);
  expect(error).toMatch(/^SIGNALBOX_API_KEY must look like key_<id>\.<secret>/);
  expect(error).not.toContain('0123456789');
});

const STRONG = [
  'key_one.Zm9yIHRlc3RzIG9ubHkgMzIgYnl0ZXMgb2Yga2V5ISE',
  `key_one.${'0123456789abcdef'.repeat(4)}`,
];
const WEAK = [API_KEY, `key_one.${'a'.repeat(64)}`, `key_one.${'secret'.repeat(10)}`];

test.each(WEAK)(
  'in production an API key that can be guessed is refused, and the error does not contain it: %s',
  (apiKey) => {
    const [error, ...others] = errorsOf({ NODE_ENV: 'production', SIGNALBOX_API_KEY: apiKey });
    expect(others).toEqual([]);
    expect(error).toContain('32 random bytes');
    expect(error).not.toContain(apiKey.split('.')[1]);
    expect(readConfig({ SIGNALBOX_API_KEY: apiKey }).secrets).toEqual({ apiKey });
  },
);

test.each(STRONG)('in production an API key of 32 random bytes is accepted: %s', (apiKey) => {
  const { secrets } = readConfig({ NODE_ENV: 'production', SIGNALBOX_API_KEY: apiKey });
  expect(secrets).toEqual({ apiKey });
});

test('defaultConfig returns the defaults with the given overrides', () => {
  expect(defaultConfig()).toEqual(readConfig({}).config);
  expect(defaultConfig({ port: 0 })).toEqual({ ...readConfig({}).config, port: 0 });
});
