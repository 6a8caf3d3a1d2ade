import { API_KEY_ENV, DATABASE_URL_ENV, MASTER_KEY_ENV } from '../../../src/config.ts';
import { SETTING_GROUPS, type Setting } from '../../../src/settings.ts';
import { documentOf, PRINTED, table } from './markdown.ts';

/** One environment variable, as the reference and `.env.example` show it. */
interface Variable {
  env: string;
  default: string;
  /** The unit and the range or the choices. */
  accepts: string;
  about: string;
}

const SECRETS: readonly Variable[] = [
  {
    env: DATABASE_URL_ENV,
    default: '',
    accepts: 'secret',
    about:
      'URL of a PostgreSQL database, `postgres://user:password@host:port/database`. When absent, the store is SQLite in the data folder. Requires `SIGNALBOX_MASTER_KEY`; see [PostgreSQL](../postgresql.md).',
  },
  {
    env: API_KEY_ENV,
    default: '',
    accepts: 'secret',
    about:
      'First API key of the project `default`, `key_<id>.<secret>`, with 32 random bytes as the secret; in production a shorter secret is a startup error. When absent, a key is generated at the first start and shown once.',
  },
  {
    env: MASTER_KEY_ENV,
    default: '',
    accepts: 'secret',
    about:
      'Key that encrypts stored secrets, at least 32 characters. A comma-separated list is allowed: the first key seals, every key opens. When absent, the key is read from `master.key` in the data folder, which the first start creates.',
  },
];

function listGroups(): { title: string; variables: readonly Variable[] }[] {
  const groups = SETTING_GROUPS.map(({ title, settings }) => ({
    title,
    variables: Object.values<Setting>(settings).map((setting) => ({
      env: setting.env,
      default: String(setting.default),
      accepts: [setting.unit === 'choice' ? '' : setting.unit, rangeOf(setting)].filter(Boolean).join(', '),
      about: setting.about,
    })),
  }));
  return [...groups, { title: 'Secrets', variables: SECRETS }];
}

function rangeOf({ choices, min, max }: Setting): string {
  if (choices) return choices.join(', ');
  return min === undefined || max === undefined ? '' : `${min}–${max}`;
}

export function printSettings(): string {
  return documentOf(
    PRINTED,
    '# Settings',
    'Settings are environment variables. They are read and validated once at startup; if any are invalid, all of them are listed and the process exits with code 1. An empty variable counts as absent. [`.env.example`](../../.env.example) holds the same list in a form that `node --env-file` and systemd accept.',
    'Settings of a single project, such as lifetimes, guests and permissions, are not here: they belong to the mutation [`updateProject`](schema.md#mutation-updateproject).',
    ...listGroups().flatMap(({ title, variables }) => [
      `## ${title}`,
      table(
        ['variable', 'default', 'unit and range', 'meaning'],
        variables.map(({ env, default: byDefault, accepts, about }) => [
          `\`${env}\``,
          byDefault === '' ? '' : `\`${byDefault}\``,
          accepts,
          about,
        ]),
      ),
    ]),
  );
}

export function printEnvExample(): string {
  const groups = listGroups().flatMap(({ title, variables }) => [
    `# ---- ${title} ----`,
    ...variables.map(
      ({ env, default: byDefault, accepts, about }) =>
        `# ${withoutLinks(about)} (${accepts})\n#${env}=${byDefault}`,
    ),
  ]);
  return documentOf(
    [
      '# Every setting with its default, printed from the source by `npm run schema`.',
      '# Copy this file to .env, uncomment the lines to change, and start with',
      '#   node --env-file=.env dist/main.js',
      '# Signalbox itself reads its environment only, never a file.',
    ].join('\n'),
    ...groups,
  );
}

/** Names the page of a link by its path from the root, because a text file has no links. */
const withoutLinks = (about: string) => about.replaceAll(/\[[^\]]+\]\(\.\.\/([^)]+)\)/g, 'docs/$1');
