import { createClient } from '@signalbox/client';
import { type CreateIssuerInput, type Issuer } from '@signalbox/server';
import { type Command } from 'commander';
import { WebSocket } from 'ws';
import { addCommand, addGroup, openSession, type CommonOptions } from './command.ts';
import { UsageError } from './errors.ts';
import { readSecret } from './input.ts';
import { type Columns } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';
import { collect, parseWord } from './values.ts';

const KINDS = ['SIGNALBOX', 'STREAM', 'TWILIO', 'OPENTOK', 'JWKS'] as const;

const ROW: Columns<Issuer> = [
  ['ID', ({ id }) => id],
  ['KIND', ({ kind }) => kind],
  ['NAME', ({ name }) => name],
  ['KEYS', ({ keys }) => keys.map(({ id }) => id).join(',')],
  ['PROVIDER', ({ provider }) => provider?.issuer],
  ['CREATED', ({ createdAt }) => createdAt],
];

interface AddOptions extends CommonOptions {
  name?: string;
  key?: string;
  secret?: string;
  account?: string;
  service?: string;
  iss?: string;
  jwks?: string;
  audience?: string[];
}

interface Viewer {
  token: { id: string; identity: string | null; role: string; expiresAt: string | null };
  channels: { nodes: { id: string }[] };
}

/** `issuer add|list|test`. */
export function addIssuerCommands(program: Command, terminal: RemoteTerminal): void {
  const issuer = addGroup(program, 'issuer', 'Decide whose credentials are accepted, and test a credential.');

  addCommand(issuer, 'list', 'List the issuers of the project, with the ids of their keys.').action(
    async (common: CommonOptions) => {
      const { signalbox, output } = openSession(terminal, common);
      await output.list(await signalbox.issuers.list(), ROW);
    },
  );

  addCommand(issuer, 'add <kind>', `Accept the credentials of another party: ${KINDS.join(', ')}.`)
    .option('--name <text>', 'the display name')
    .option('--key <id>', 'the id that the issuer uses for its key')
    .option(
      '--secret <file>',
      'a file with the secret of the key, or “-” for standard input. Also: SIGNALBOX_ISSUER_SECRET',
    )
    .option('--account <sid>', 'TWILIO: the account SID')
    .option('--service <sid>', 'TWILIO: the Sync service SID (default: any service)')
    .option('--iss <url>', 'JWKS: the claim iss of the provider')
    .option('--jwks <url>', 'JWKS: the address of its keys')
    .option('--audience <audience>', 'JWKS: an accepted audience; may be repeated', collect)
    .action(async (kind: string, options: AddOptions) => {
      const { signalbox, output } = openSession(terminal, options);
      const { name, account, service } = options;
      const input = { kind: parseWord('KIND', kind, KINDS), name, account, service };
      const party = input.kind === 'JWKS' ? toProvider(options) : await toKey(terminal, options);
      await output.one(await signalbox.issuers.create({ ...input, ...party }), ROW);
    });

  addCommand(issuer, 'test', 'Connect with a credential, and tell who it is or why it is refused.')
    .argument('[file]', 'a file with the credential; “-” for standard input', '-')
    .addHelpText(
      'after',
      '\nA test counts as a first use: the token of the credential is created, as at every login.',
    )
    .action(async (file: string, common: CommonOptions) => {
      const { address, output } = openSession(terminal, common);
      const credential = await readSecret(terminal, file, 'credential');
      const client = createClient({ url: address.url, credential, webSocket: WebSocket });
      try {
        const document = `{ viewer { token { id identity role expiresAt } channels { nodes { id } } } }`;
        const { viewer } = await client.graphql<{ viewer: Viewer }>(document);
        await output.one(viewer, [
          ['IDENTITY', ({ token }) => token.identity],
          ['TOKEN', ({ token }) => token.id],
          ['ROLE', ({ token }) => token.role],
          ['EXPIRES', ({ token }) => token.expiresAt],
          ['CHANNELS', ({ channels }) => channels.nodes.map(({ id }) => id).join(',')],
        ]);
      } finally {
        await client.close();
      }
    });
}

async function toKey(
  terminal: RemoteTerminal,
  { key, secret }: AddOptions,
): Promise<Pick<CreateIssuerInput, 'key'>> {
  const text =
    secret === undefined
      ? terminal.env['SIGNALBOX_ISSUER_SECRET']
      : await readSecret(terminal, secret, 'secret');
  if (key === undefined || !text) throw new UsageError('Pass --key, and --secret with a file or “-”.');
  return {
    key: text.startsWith('-----BEGIN PUBLIC KEY') ? { id: key, publicKey: text } : { id: key, secret: text },
  };
}

function toProvider({ iss, jwks, audience }: AddOptions): Pick<CreateIssuerInput, 'provider'> {
  if (iss === undefined || jwks === undefined || audience === undefined)
    throw new UsageError('JWKS needs --iss, --jwks and --audience.');
  return { provider: { issuer: iss, url: jwks, audiences: audience } };
}
