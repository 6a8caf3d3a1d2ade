import { createHash } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { backupStore } from '../../src/maintenance/backup.ts';
import { type CarriedOver } from '../../src/maintenance/carry-over.ts';
import { restoreStore } from '../../src/maintenance/restore.ts';
import {
  createChannel,
  mint,
  publish,
  revokeToken,
  subscribeToken,
  unsubscribeToken,
} from '../support/backend.ts';
import { createManualClock, type ManualClock } from '../support/clock.ts';
import {
  createApiKey,
  createIssuer,
  INFREQUENT_UPKEEP,
  refusalCodeOf,
  sign,
  signingKeyOf,
  STREAM,
  tokenOf,
} from '../support/external-credentials.ts';
import { createFolder } from '../support/folder.ts';
import { forge } from '../support/forge.ts';
import { ADD_KEY, listIssuers, REMOVE_KEY } from '../support/issuer-management.ts';
import { moderate, outcomeOf, publishMutation } from '../support/moderation.ts';
import { API_KEY, startService, type TestService } from '../support/service.ts';

const HOUR = 3_600_000;
const KEY = signingKeyOf(API_KEY);
const CHANNELS = `{ viewer { channels { nodes { id } } } }`;
const PAST = `query ($c: ID!) { channel(id: $c) { messages(first: 100) { nodes { event } } } }`;

const secondsOf = (clock: ManualClock) => clock.now() / 1000;
const dateOf = (epochMs: number) => new Date(epochMs).toISOString();

/** A credential of Stream. */
const streamCredential = (secret = STREAM.key.secret, claims = {}) =>
  forge({ alg: 'HS256', typ: 'JWT' }, { user_id: 'ada', ...claims }, secret);

const channelsOf = async ({ request }: TestService, credential: string): Promise<string[]> =>
  (await request(CHANNELS, {}, credential)).viewer.channels.nodes.map(({ id }: { id: string }) => id);

interface RestoredService extends AsyncDisposable {
  signalbox: TestService;
  carriedOver: CarriedOver | undefined;
  undone: unknown;
}

/**
 * A service after the restore of a backup.
 * @param before what happens before the backup; `after` receives its result
 * @param alterReplaced changes the store that the restore replaces, once the service has stopped
 */
async function restore<T>(
  clock: ManualClock,
  before: (signalbox: TestService) => Promise<T>,
  after: (signalbox: TestService, result: T) => Promise<void>,
  alterReplaced: (replaced: Database.Database) => void = () => undefined,
): Promise<RestoredService & { result: T }> {
  const folder = createFolder();
  const [data, file] = [folder.path, join(folder.path, 'copy.sqlite')];
  const config = { ...INFREQUENT_UPKEEP, data };
  const replaced = await startService(config, { clock });
  const result = await before(replaced);
  backupStore({ data, file });
  await after(replaced, result);
  await replaced[Symbol.asyncDispose]();
  const sqlite = new Database(join(data, 'signalbox.sqlite'));
  alterReplaced(sqlite);
  sqlite.close();
  const report = await restoreStore({ data, file, decision: { kind: 'CARRY_OVER' }, now: clock.now() });
  const signalbox = await startService(config, { clock });
  return {
    ...report,
    result,
    signalbox,
    async [Symbol.asyncDispose]() {
      await signalbox[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

test('a key of an issuer that was removed with an overlap after the backup stops verifying when the overlap ends', async () => {
  const clock = createManualClock();
  await using restored = await restore(
    clock,
    (signalbox) => createIssuer(signalbox, STREAM),
    async ({ request }, issuer) => {
      await request(REMOVE_KEY, { i: issuer, k: STREAM.key.id, s: 3600 });
    },
  );
  const { signalbox } = restored;
  expect(await refusalCodeOf(signalbox, streamCredential())).toBe('open');
  await clock.advance(HOUR);
  expect(await refusalCodeOf(signalbox, streamCredential())).toBe('UNAUTHENTICATED');
});

test('a key of an issuer that was replaced by one of the same id after the backup verifies by its new secret only', async () => {
  const secret = 'another secret of Stream';
  await using restored = await restore(
    createManualClock(),
    (signalbox) => createIssuer(signalbox, STREAM),
    async ({ request }, issuer) => {
      await request(REMOVE_KEY, { i: issuer, k: STREAM.key.id, s: 0 });
      await request(ADD_KEY, { i: issuer, key: { id: STREAM.key.id, secret } });
    },
  );
  expect(await refusalCodeOf(restored.signalbox, streamCredential())).toBe('UNAUTHENTICATED');
  expect(await refusalCodeOf(restored.signalbox, streamCredential(secret))).toBe('open');
});

test('issuers that were created, changed or removed after the backup are as they were before the restore', async () => {
  const account = `AC${'0'.repeat(32)}`;
  const twilio = (name: string, digit: string) => ({
    kind: 'TWILIO',
    name,
    account,
    service: `IS${digit.repeat(32)}`,
    key: { id: `SK${digit.repeat(32)}`, secret: `the secret of ${name}` },
  });
  let expected: unknown;
  await using restored = await restore(
    createManualClock(),
    async (signalbox) => ({
      changed: await createIssuer(signalbox, twilio('changed', '1')),
      removed: await createIssuer(signalbox, twilio('removed', '2')),
    }),
    async (signalbox, { changed, removed }) => {
      const { request } = signalbox;
      await createIssuer(signalbox, twilio('created', '3'));
      await request(
        `mutation ($id: ID!, $input: UpdateIssuerInput!) { updateIssuer(issuer: $id, input: $input) { id } }`,
        { id: changed, input: { service: `IS${'4'.repeat(32)}` } },
      );
      await request(`mutation ($id: ID!) { removeIssuer(issuer: $id) { id } }`, { id: removed });
      expected = await listIssuers(signalbox);
    },
  );
  expect(await listIssuers(restored.signalbox)).toEqual(expected);
  expect(restored.carriedOver).toMatchObject({ issuers: 5 });
});

test('bans and mutes that were extended, made permanent or shortened after the backup end as their newest call says', async () => {
  const clock = createManualClock();
  const until = (hours: number) => ({ until: dateOf(clock.now() + hours * HOUR) });
  const identities = ['permanent', 'extended', 'shortened', 'unchanged'];
  await using restored = await restore(
    clock,
    async (signalbox) => {
      await createChannel(signalbox, 'room');
      for (const identity of identities) {
        await moderate(signalbox, 'ban', { identity, channel: 'room', ...until(10) });
        await moderate(signalbox, 'mute', { identity, ...until(10) });
      }
    },
    async (signalbox) => {
      for (const [identity, terms] of [
        ['permanent', {}],
        ['extended', until(20)],
        ['shortened', until(5)],
      ] as const) {
        await moderate(signalbox, 'ban', { identity, channel: 'room', reason: 'newest', ...terms });
        await moderate(signalbox, 'mute', { identity, reason: 'newest', ...terms });
      }
    },
  );
  const hours = { permanent: null, extended: 20, shortened: 5, unchanged: 10 };
  for (const [identity, end] of Object.entries(hours)) {
    const { nodes } = await moderate(restored.signalbox, 'restrictions', { identity });
    const terms = {
      until: end === null ? null : dateOf(clock.now() + end * HOUR),
      reason: identity === 'unchanged' ? null : 'newest',
    };
    expect(nodes, identity).toHaveLength(2);
    for (const node of nodes) expect(node, identity).toMatchObject(terms);
  }
  expect(restored.carriedOver).toMatchObject({ restrictions: 6 });
});

test('a ban that was lifted and a revocation that was undone after the backup are in force again', async () => {
  const clock = createManualClock();
  await using restored = await restore(
    clock,
    async (signalbox) => {
      await createChannel(signalbox, 'room');
      const { credential } = await mint(signalbox, { identity: 'ada' });
      await clock.advance(1000);
      await signalbox.request(`mutation { revokeTokens(identity: "ada") { connections } }`);
      await moderate(signalbox, 'ban', { identity: 'ben', channel: 'room' });
      return credential;
    },
    async (signalbox) => {
      await signalbox.request(`mutation { restoreTokens(identity: "ada") { issuedBefore } }`);
      await moderate(signalbox, 'unban', { identity: 'ben', channel: 'room' });
    },
  );
  const { signalbox, result: credential } = restored;
  expect(await refusalCodeOf(signalbox, credential)).toBe('TOKEN_REVOKED');
  expect((await moderate(signalbox, 'restrictions', { identity: 'ben' })).nodes).toMatchObject([
    { kind: 'BAN', channel: 'room' },
  ]);
});

test('a token of an issuer that was first used after the backup stays revoked, banned, removed or narrowed', async () => {
  const clock = createManualClock();
  const signed = (sub: string, claims = {}) =>
    sign(KEY, { sub, iat: secondsOf(clock), channels: ['room', 'lobby'], ...claims });
  const credentials: Record<string, string> = {};
  await using restored = await restore(
    clock,
    async (signalbox) => {
      for (const id of ['room', 'lobby']) await createChannel(signalbox, id);
      for (const event of ['one', 'two']) await publish(signalbox, 'room', event);
    },
    async (signalbox) => {
      await createChannel(signalbox, 'new');
      for (let count = 0; count < 20; count++) await publish(signalbox, 'room', 'lost');
      const ids: Record<string, string> = {};
      for (const name of ['revoked', 'banned', 'removed', 'narrowed', 'untouched']) {
        credentials[name] = await signed(name, { role: 'MODERATOR' });
        ids[name] = (await tokenOf(signalbox, credentials[name])).id;
        await subscribeToken(signalbox, 'new', ids[name]!);
      }
      await clock.advance(1000);
      await revokeToken(signalbox, ids['revoked']!);
      await moderate(signalbox, 'ban', { token: ids['banned']!, channel: 'room' });
      await unsubscribeToken(signalbox, 'room', ids['removed']!);
      await tokenOf(signalbox, await signed('narrowed', { role: 'SUBSCRIBER' }));
    },
  );
  const { signalbox, carriedOver, undone } = restored;
  await clock.advance(60_000);
  const outcome = (name: string) => outcomeOf(signalbox.ask(publishMutation('room'), {}, credentials[name]));
  expect(await refusalCodeOf(signalbox, credentials['revoked']!)).toBe('TOKEN_REVOKED');
  expect(await outcome('banned')).toBe('FORBIDDEN');
  expect(await outcome('removed')).toBe('FORBIDDEN');
  expect(await channelsOf(signalbox, credentials['removed']!)).toEqual(['lobby']);
  // The channel that was created after the backup is gone, and with it the membership.
  expect(await channelsOf(signalbox, credentials['untouched']!)).toEqual(['lobby', 'room']);
  expect(await outcome('untouched')).toBe('done');
  // The membership began after the messages of the backup, and before those that follow.
  const { channel } = await signalbox.request(PAST, { c: 'room' }, credentials['untouched']);
  expect(channel.messages.nodes).toEqual([{ event: 'hello' }]);
  expect(carriedOver).toMatchObject({ createdTokens: 5 });
  expect(undone).toMatchObject([{ tokens: 0, channels: 1 }]);
});

test('a membership that was ended and begun again after the backup shows no more of the past than before the restore', async () => {
  await using restored = await restore(
    createManualClock(),
    async (signalbox) => {
      await createChannel(signalbox, 'room');
      const token = await mint(signalbox, { channels: ['room'] });
      await publish(signalbox, 'room', 'before');
      return token;
    },
    async (signalbox, { id }) => {
      await unsubscribeToken(signalbox, 'room', id);
      for (let count = 0; count < 10; count++) await publish(signalbox, 'room', 'lost');
      await subscribeToken(signalbox, 'room', id);
    },
  );
  const { signalbox, result } = restored;
  await publish(signalbox, 'room', 'after');
  const { channel } = await signalbox.request(PAST, { c: 'room' }, result.credential);
  expect(channel.messages.nodes).toEqual([{ event: 'after' }]);
});

test('a guest whose life was extended after the backup is not deleted when the earlier one has ended', async () => {
  const clock = createManualClock();
  await using restored = await restore(
    clock,
    async (signalbox) => {
      await signalbox.request('mutation { updateProject(settings: { guests: true }) { id } }');
      const { createGuest } = await signalbox.request(
        'mutation { createGuest { token { id } credential } }',
        {},
        null,
      );
      return createGuest.token.id as string;
    },
    async ({ request }, token) => {
      await request('mutation ($t: ID) { createCredential(token: $t, expiresIn: 864000) { credential } }', {
        t: token,
      });
    },
  );
  const { signalbox, result: id } = restored;
  await clock.advance(3 * 24 * HOUR);
  expect((await signalbox.request('query ($t: ID!) { token(id: $t) { id } }', { t: id })).token).toEqual({
    id,
  });
});

test('an API key whose secret was configured anew after the backup keeps the new secret', async () => {
  await using restored = await restore(
    createManualClock(),
    (signalbox) => createApiKey(signalbox),
    async () => undefined,
    // As a start with SIGNALBOX_API_KEY=key_<id>.<another secret> does.
    (replaced) => {
      const secretHash = createHash('sha256').update('another secret').digest('base64url');
      replaced.prepare(`update api_keys set secret_hash = ? where id <> ?`).run(secretHash, KEY.id);
    },
  );
  const answer = await restored.signalbox.ask('{ viewer { kind } }', {}, restored.result.secret);
  expect(answer.errors?.[0]?.extensions['code']).toBe('UNAUTHENTICATED');
});

test('a credential that is issued after the restore is newer than a revocation from before, also when the clock was set back meanwhile', async () => {
  const clock = createManualClock();
  await using restored = await restore(
    clock,
    (signalbox) => mint(signalbox, { identity: 'ada' }),
    async (signalbox) => {
      clock.jump(24 * HOUR);
      await mint(signalbox, { identity: 'ada' });
      await signalbox.request(`mutation { revokeTokens(identity: "ada") { connections } }`);
      clock.jump(-24 * HOUR);
    },
  );
  const { signalbox, result: older } = restored;
  expect(await refusalCodeOf(signalbox, older.credential)).toBe('TOKEN_REVOKED');
  const newer = await mint(signalbox, { identity: 'ada' });
  expect(await refusalCodeOf(signalbox, newer.credential)).toBe('open');
});

test('a restore takes access over from a replaced store of an older version', async () => {
  const clock = createManualClock();
  await using restored = await restore(
    clock,
    async (signalbox) => {
      await createChannel(signalbox, 'room');
      return mint(signalbox, { identity: 'ada', channels: ['room'] });
    },
    async (signalbox, { id }) => {
      await moderate(signalbox, 'ban', { identity: 'ben', channel: 'room' });
      await createApiKey(signalbox);
      await revokeToken(signalbox, id);
    },
    // As before the migrations 0004 and 0005.
    (replaced) =>
      replaced.exec(`drop table membership_removals; drop index self_made_memberships;
        alter table memberships drop column made_by; alter table api_keys drop column scopes;
        alter table api_keys drop column channels; alter table api_keys drop column lasts_until`),
  );
  const { signalbox, result, carriedOver } = restored;
  expect(await refusalCodeOf(signalbox, result.credential)).toBe('TOKEN_REVOKED');
  expect(carriedOver).toMatchObject({ revokedTokens: 1, restrictions: 1, apiKeys: 1 });
});
