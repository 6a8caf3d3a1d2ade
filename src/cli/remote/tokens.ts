import { type Token } from '@signalbox/server';
import { type Command } from 'commander';
import { addCommand, addGroup, openSession, runToEnd, take, type CommonOptions } from './command.ts';
import { UsageError } from './errors.ts';
import { type Columns } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';
import {
  collect,
  parseDuration,
  parseGrant,
  parseInteger,
  parseJson,
  parseTarget,
  parseTime,
  requireChange,
} from './values.ts';

const ROW: Columns<Token> = [
  ['ID', ({ id }) => id],
  ['IDENTITY', ({ identity }) => identity],
  ['ROLE', ({ role, customRole }) => customRole ?? role],
  ['ONLINE', ({ isOnline }) => (isOnline ? 'yes' : 'no')],
  ['EXPIRES', ({ expiresAt, revokedAt }) => (revokedAt === null ? expiresAt : 'revoked')],
];

const RECORD: Columns<Token> = [
  ...ROW,
  ['GRANTS', ({ grants }) => grants],
  ['STATE', ({ state }) => state],
  ['CONNECTION DATA', ({ connectionData }) => connectionData],
  ['ORIGIN', ({ origin }) => origin],
  ['ISSUER', ({ issuer }) => issuer],
  ['CREATED', ({ createdAt }) => createdAt],
];

interface CreateOptions extends CommonOptions {
  identity?: string;
  channel?: string[];
  role?: string;
  grant?: string[];
  expires?: string;
  expiresIn?: string;
  state?: string;
  connectionData?: string;
}

/** The options that take a property away have the value false. */
interface UpdateOptions extends CommonOptions {
  role?: string;
  grant?: string[] | false;
  expires?: string | false;
  expiresIn?: string;
  state?: string;
  connectionData?: string | false;
}

const BUILT_IN_ROLES = ['GUEST', 'SUBSCRIBER', 'PUBLISHER', 'MODERATOR'] as const;

/** A built-in role in any case, or the name of a custom one. */
function toRole(role: string) {
  const builtIn = BUILT_IN_ROLES.find((name) => name === role.toUpperCase());
  return builtIn === undefined ? { customRole: role } : { role: builtIn };
}

/** The arguments `expiresAt` or `expiresIn`. */
function toExpiry({ expires, expiresIn }: Pick<UpdateOptions, 'expires' | 'expiresIn'>) {
  if (expires !== undefined && expiresIn !== undefined)
    throw new UsageError('Pass either --expires or --expires-in.');
  return {
    ...(expires !== undefined && {
      expiresAt: expires === false ? null : parseTime(expires).toISOString(),
    }),
    ...(expiresIn !== undefined && { expiresIn: parseDuration(expiresIn) }),
  };
}

const GRANT =
  'allow only these actions in matching channels, such as room:*=subscribe,publish; with @2030-01-31T12:00:00Z at its end until then; may be repeated';

/** `token create|list|show|update|revoke|renew`. */
export function addTokenCommands(program: Command, terminal: RemoteTerminal): void {
  const token = addGroup(program, 'token', 'Create, list, show, change, revoke and renew tokens.');

  addCommand(token, 'create', 'Create a token and print its credential, which the client presents.')
    .option('--identity <identity>', 'the user that the token belongs to')
    .option('--channel <channel>', 'a channel to subscribe the token to; may be repeated', collect)
    .option('--role <role>', 'GUEST, SUBSCRIBER, PUBLISHER, MODERATOR or a custom role (default: PUBLISHER)')
    .option(
      '--expires-in <duration>',
      'the lifetime, such as 90s, 15m, 12h or 30d (default: that of the project)',
    )
    .option('--expires <time>', 'in place of --expires-in: the time, such as 2030-01-31T12:00:00Z')
    .option('--grant <grant>', GRANT, collect)
    .option('--state <json>', 'JSON that the backend and the token itself can read')
    .option('--connection-data <text>', 'data that other callers see')
    .action(async (options: CreateOptions) => {
      const { signalbox, output } = openSession(terminal, options);
      const { identity, channel, role, grant, state, connectionData } = options;
      const created = await signalbox.tokens.create({
        identity,
        channels: channel,
        connectionData,
        grants: grant?.map(parseGrant),
        ...(role !== undefined && toRole(role)),
        ...toExpiry(options),
        ...(state !== undefined && { state: parseJson('--state', state) }),
      });
      await output.one(created, [
        ['TOKEN', ({ token: record }) => record?.id],
        ['EXPIRES', ({ token: record }) => record?.expiresAt],
        ['CREDENTIAL', ({ credential }) => credential],
      ]);
    });

  addCommand(token, 'list', 'List the tokens of the project, oldest first.')
    .option('--identity <identity>', 'only tokens of this identity')
    .option('--online', 'only tokens with a live connection')
    .option('--offline', 'only tokens without one')
    .option('--limit <number>', 'the most tokens to list', '1000')
    .action(
      async ({
        identity,
        online,
        offline,
        limit,
        ...common
      }: CommonOptions & { identity?: string; online?: true; offline?: true; limit: string }) => {
        const { signalbox, output } = openSession(terminal, common);
        const filter = { identity, online: online ?? (offline ? false : undefined) };
        const most = parseInteger('--limit', limit, 1, 10_000_000);
        await output.list(take(signalbox.tokens.list(filter), most), ROW);
      },
    );

  addCommand(token, 'show <token>', 'Show a token.').action(async (id: string, common: CommonOptions) => {
    const { signalbox, output } = openSession(terminal, common);
    await output.one(await signalbox.tokens.get(id), RECORD);
  });

  addCommand(token, 'update <token>', 'Change a token, at once on its live connections.')
    .option('--role <role>', 'GUEST, SUBSCRIBER, PUBLISHER, MODERATOR or a custom role')
    .option('--grant <grant>', `${GRANT}; replaces all grants`, collect)
    .option('--no-grant', 'remove all grants, so that the role is not narrowed')
    .option('--expires-in <duration>', 'the lifetime from now, such as 90s, 15m, 12h or 30d')
    .option('--expires <time>', 'in place of --expires-in: the time, such as 2030-01-31T12:00:00Z')
    .option('--no-expires', 'never expire')
    .option('--state <json>', 'JSON that the backend and the token itself can read')
    .option('--connection-data <text>', 'data that other callers see')
    .option('--no-connection-data', 'remove the connection data')
    .action(async (id: string, options: UpdateOptions) => {
      const { signalbox, output } = openSession(terminal, options);
      const { role, grant, state, connectionData } = options;
      const change = requireChange({
        ...(role !== undefined && toRole(role)),
        ...(grant !== undefined && { grants: grant === false ? null : grant.map(parseGrant) }),
        ...toExpiry(options),
        ...(state !== undefined && { state: parseJson('--state', state) }),
        ...(connectionData !== undefined && {
          connectionData: connectionData === false ? null : connectionData,
        }),
      });
      await output.one(await signalbox.tokens.update(id, change), RECORD);
    });

  addCommand(token, 'revoke <tokens...>', 'Revoke tokens for good and close their connections.').action(
    async (ids: string[], common: CommonOptions) => {
      const session = openSession(terminal, common);
      await runToEnd(session, async (print) => {
        for (const id of ids) await print(`Revoked ${id}.`, await session.signalbox.tokens.revoke(id));
      });
    },
  );

  addCommand(token, 'renew', 'Create another credential for a token, or for the token of an identity.')
    .argument('[token]', 'the id of the token')
    .option('--identity <identity>', 'in place of the id: the identity, if it has one token in force')
    .option('--expires-in <duration>', 'the new lifetime of the token (default: its expiry stays)')
    .action(
      async (
        id: string | undefined,
        { identity, expiresIn, ...common }: CommonOptions & { identity?: string; expiresIn?: string },
      ) => {
        const { signalbox, output } = openSession(terminal, common);
        const target = parseTarget({
          ...(id !== undefined && { token: id }),
          ...(identity !== undefined && { identity }),
        });
        const renewed = await signalbox.tokens.createCredential({
          ...target,
          expiresIn: expiresIn === undefined ? undefined : parseDuration(expiresIn),
        });
        await output.one(renewed, [
          ['TOKEN', ({ token: record }) => record?.id],
          ['EXPIRES', ({ token: record }) => record?.expiresAt],
          ['CREDENTIAL', ({ credential }) => credential],
        ]);
      },
    );
}
