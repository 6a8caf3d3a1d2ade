import { createClient } from '@signalbox/client';
import { type CreateIssuerInput, type Issuer, type IssuerKeyInput } from '@signalbox/server';
import { type Command } from 'commander';
import { WebSocket } from 'ws';
import { addCommand, addGroup, openSession, type CommonOptions } from './command.ts';
import { UsageError } from './errors.ts';
import { readCredential, readSecret } from './input.ts';
import { type Columns } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';
import { collect, parseDuration, parseWord, requireChange } from './values.ts';

const KINDS = ['SIGNALBOX', 'STREAM', 'TWILIO', 'OPENTOK', 'JWKS'] as const;

const ALGORITHMS = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA'] as const),
];
const CLAIMS = ['identity', 'audience', 'role', 'grants', 'connectionData'] as const;

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
  algorithm?: string[];
  claim?: string[];
}

interface UpdateOptions extends Pick<AddOptions, 'jwks' | 'audience' | 'algorithm' | 'claim'>, CommonOptions {
  name?: string;
  /** False: any service. */
  service?: string | false;
}

interface Viewer {
  token: { id: string; identity: string | null; role: string; expiresAt: string | null };
  channels: { nodes: { id: string }[] };
}

const SECRET =
  'a file with the secret of the key, or for OPENTOK with the public key of a Vonage application; “-” for standard input. Also: SIGNALBOX_ISSUER_SECRET';
const ALGORITHM = 'an algorithm that it may sign with, such as ES256; may be repeated';
const CLAIM = `the claim that holds a property, such as role=/realm_access/role; the properties are ${CLAIMS.join(', ')}; may be repeated`;

/** `issuer list|add|update|remove|add-key|remove-key|test`. */
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
    .option('--secret <file>', SECRET)
    .option('--account <sid>', 'TWILIO: the account SID')
    .option('--service <sid>', 'TWILIO: the Sync service SID (default: any service)')
    .option('--iss <url>', 'JWKS: the claim iss of the provider')
    .option('--jwks <url>', 'JWKS: the address of its keys')
    .option('--audience <audience>', 'JWKS: an accepted audience; may be repeated', collect)
    .option('--algorithm <name>', `JWKS: ${ALGORITHM} (default: RS256)`, collect)
    .option('--claim <name=claim>', `JWKS: ${CLAIM}`, collect)
    .action(async (kind: string, options: AddOptions) => {
      const { signalbox, output } = openSession(terminal, options);
      const { name, account, service } = options;
      const input = { kind: parseWord('KIND', kind, KINDS), name, account, service };
      const party =
        input.kind === 'JWKS' ? toProvider(options) : { key: await toIssuerKey(terminal, options) };
      await output.one(await signalbox.issuers.create({ ...input, ...party }), ROW);
    });

  addCommand(
    issuer,
    'update <issuer>',
    'Change an issuer. Applies to credentials that are presented from now on; live connections stay.',
  )
    .option('--name <text>', 'the display name')
    .option('--service <sid>', 'TWILIO: the Sync service SID')
    .option('--no-service', 'TWILIO: any service')
    .option('--jwks <url>', 'JWKS: the address of its keys')
    .option('--audience <audience>', 'JWKS: an accepted audience; may be repeated; replaces all', collect)
    .option('--algorithm <name>', `JWKS: ${ALGORITHM}; replaces all`, collect)
    .option('--claim <name=claim>', `JWKS: ${CLAIM}; replaces all`, collect)
    .action(async (id: string, options: UpdateOptions) => {
      const { signalbox, output } = openSession(terminal, options);
      const { name, service, jwks, audience } = options;
      const provider = { url: jwks, audiences: audience, ...toVerification(options) };
      const change = requireChange({
        name,
        ...(service !== undefined && { service: service === false ? null : service }),
        provider: Object.values(provider).some((value) => value !== undefined) ? provider : undefined,
      });
      await output.one(await signalbox.issuers.update(id, change), ROW);
    });

  addCommand(
    issuer,
    'remove <issuer>',
    'Stop accepting the credentials of an issuer, and close the connections that used them.',
  ).action(async (id: string, common: CommonOptions) => {
    const { signalbox, output } = openSession(terminal, common);
    await output.print(`Removed ${id}.`, await signalbox.issuers.remove(id));
  });

  addCommand(issuer, 'add-key <issuer>', 'Add a key to an issuer: the first step of a rotation.')
    .requiredOption('--key <id>', 'the id that the issuer uses for its key')
    .option('--secret <file>', SECRET)
    .action(async (id: string, options: CommonOptions & { key: string; secret?: string }) => {
      const { signalbox, output } = openSession(terminal, options);
      await output.one(await signalbox.issuers.addKey(id, await toIssuerKey(terminal, options)), ROW);
    });

  addCommand(issuer, 'remove-key <issuer> <key>', 'Remove a key from an issuer: the last step of a rotation.')
    .option('--overlap <duration>', 'how long the key still verifies credentials', '0s')
    .action(async (id: string, key: string, { overlap, ...common }: CommonOptions & { overlap: string }) => {
      const { signalbox, output } = openSession(terminal, common);
      const overlapSeconds = parseDuration(overlap);
      await output.one(await signalbox.issuers.removeKey(id, key, { overlapSeconds }), ROW);
    });

  addCommand(issuer, 'test', 'Connect with a credential, and print its token, or why it is refused.')
    .argument('[file]', 'a file with the credential; “-” for standard input', '-')
    .addHelpText(
      'after',
      '\nA test counts as a first use: the token of the credential is created, as at every login.',
    )
    .action(async (file: string, common: CommonOptions) => {
      const { address, output } = openSession(terminal, common);
      const credential = await readCredential(terminal, file);
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

async function toIssuerKey(
  terminal: RemoteTerminal,
  { key, secret }: Pick<AddOptions, 'key' | 'secret'>,
): Promise<IssuerKeyInput> {
  const text =
    secret === undefined
      ? terminal.env['SIGNALBOX_ISSUER_SECRET']
      : await readSecret(terminal, secret, 'secret');
  if (key === undefined || !text) throw new UsageError('Pass --key, and --secret with a file or “-”.');
  return text.startsWith('-----BEGIN PUBLIC KEY') ? { id: key, publicKey: text } : { id: key, secret: text };
}

function toProvider(options: AddOptions): Pick<CreateIssuerInput, 'provider'> {
  const { iss, jwks, audience } = options;
  if (iss === undefined || jwks === undefined || audience === undefined)
    throw new UsageError('JWKS needs --iss, --jwks and --audience.');
  return { provider: { issuer: iss, url: jwks, audiences: audience, ...toVerification(options) } };
}

/** The arguments `algorithms` and `claims` of a provider. */
function toVerification({ algorithm, claim }: Pick<AddOptions, 'algorithm' | 'claim'>) {
  return {
    algorithms: algorithm?.map((name) => parseWord('--algorithm', name, ALGORITHMS)),
    claims: claim && Object.fromEntries(claim.map(parseClaim)),
  };
}

function parseClaim(text: string): [string, string] {
  const [, name = '', claim = ''] = /^(\w+)=(.+)$/.exec(text) ?? [];
  if (claim === '') throw new UsageError(`“${text}” names no claim. Write it as role=/realm_access/role.`);
  return [parseWord('The name in --claim', name, CLAIMS), claim];
}
