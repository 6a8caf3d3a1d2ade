import { type ApiKey, type ApiKeyWithSecret } from '@signalbox/server';
import { type Command } from 'commander';
import { addCommand, addGroup, openSession, type CommonOptions } from './command.ts';
import { type Columns } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';
import { collect, parseDuration, parseTime, parseWord } from './values.ts';

const SCOPES = ['READ', 'PUBLISH', 'TOKENS', 'CHANNELS', 'MODERATE', 'KEYS', 'ADMIN'] as const;

const ROW: Columns<ApiKey> = [
  ['ID', ({ id }) => id],
  ['NAME', ({ name }) => name],
  ['SCOPES', ({ scopes }) => scopes?.join(',') ?? 'all'],
  ['CHANNELS', ({ channels }) => channels ?? 'all'],
  ['SIGNS', ({ canSign }) => (canSign ? 'yes' : 'no')],
  ['EXPIRES', ({ expiresAt, revokedAt }) => (revokedAt === null ? expiresAt : 'revoked')],
];

const CREATED: Columns<ApiKeyWithSecret> = [
  ['ID', ({ apiKey }) => apiKey?.id],
  ['SECRET (shown this once)', ({ secret }) => secret],
];

interface CreateOptions extends CommonOptions {
  name?: string;
  scope?: string[];
  channels?: string;
  canSign?: true;
  expires?: string;
  project?: string;
}

/** `keys list|create|rotate|revoke|rotate-signing|reseal`. */
export function addKeyCommands(program: Command, terminal: RemoteTerminal): void {
  const keys = addGroup(program, 'keys', 'List, create, rotate and revoke API keys.');

  addCommand(keys, 'list', 'List the API keys of the project, without their secrets.').action(
    async (common: CommonOptions) => {
      const { signalbox, output } = openSession(terminal, common);
      await output.list(signalbox.apiKeys.list(), ROW);
    },
  );

  addCommand(keys, 'create', 'Create an API key and print its secret, which is shown this once.')
    .option('--name <text>', 'the purpose of the key')
    .option(
      '--scope <scope>',
      `what the key may do: ${SCOPES.join(', ')}; may be repeated (default: everything)`,
      collect,
    )
    .option('--channels <pattern>', 'only in matching channels, such as news:*')
    .option('--can-sign', 'accept credentials that are signed with the secret that is derived from the key')
    .option('--expires <time>', 'when the key expires, such as 2030-01-31T12:00:00Z (default: never)')
    .option('--project <project>', 'for the operator’s API key: the project (default: its own)')
    .action(async ({ name, scope, channels, canSign, expires, project, ...common }: CreateOptions) => {
      const { signalbox, output } = openSession(terminal, common);
      const created = await signalbox.apiKeys.create({
        name,
        project,
        canSign,
        channels,
        scopes: scope?.map((one) => parseWord('--scope', one, SCOPES)),
        ...(expires !== undefined && { expiresAt: parseTime(expires).toISOString() }),
      });
      await output.one(created, CREATED);
    });

  addCommand(keys, 'rotate <key>', 'Create the successor of an API key. Both work until the overlap ends.')
    .option('--overlap <duration>', 'how long the old key still works', '1d')
    .action(async (id: string, { overlap, ...common }: CommonOptions & { overlap: string }) => {
      const { signalbox, output } = openSession(terminal, common);
      await output.one(
        await signalbox.apiKeys.rotate(id, { overlapSeconds: parseDuration(overlap) }),
        CREATED,
      );
    });

  addCommand(
    keys,
    'rotate-signing',
    'Create a new key with which the service signs credentials. For the operator’s API key.',
  )
    .option('--overlap <duration>', 'how long credentials that were signed before stay valid', '30d')
    .action(async ({ overlap, ...common }: CommonOptions & { overlap: string }) => {
      const { signalbox, output } = openSession(terminal, common);
      const document = 'mutation ($overlap: Int!) { rotateSigningKey(overlapSeconds: $overlap) }';
      await signalbox.graphql(document, { overlap: parseDuration(overlap) });
      await output.print(
        `New credentials are signed with a new key; older ones stay valid for ${overlap}.`,
        true,
      );
    });

  addCommand(
    keys,
    'reseal',
    'Seal every stored secret again under the first key of SIGNALBOX_MASTER_KEY, so that the others can be removed. For the operator’s API key.',
  ).action(async (common: CommonOptions) => {
    const { signalbox, output } = openSession(terminal, common);
    const { resealSecrets } = await signalbox.graphql<{ resealSecrets: number }>(
      'mutation { resealSecrets }',
    );
    const noun = resealSecrets === 1 ? 'secret was' : 'secrets were';
    await output.print(`${resealSecrets} ${noun} sealed under another master key.`, {
      resealed: resealSecrets,
    });
  });

  addCommand(keys, 'revoke <key>', 'Revoke an API key and close its connections.').action(
    async (id: string, common: CommonOptions) => {
      const { signalbox, output } = openSession(terminal, common);
      await output.print(`Revoked ${id}.`, await signalbox.apiKeys.revoke(id));
    },
  );
}
