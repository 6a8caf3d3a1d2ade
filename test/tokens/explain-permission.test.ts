import { expect, test } from 'vitest';
import { createChannel, mint, roundTrip, subscribeToken } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { queueResults } from '../support/result-queue.ts';
import { signingSecretOf } from '../support/external-credentials.ts';
import { forge } from '../support/forge.ts';
import { changeSettings, codeOf, createProject } from '../support/projects.ts';
import { API_KEY, startService, type ServiceClient } from '../support/service.ts';

const ACTIONS = ['SUBSCRIBE', 'PUBLISH', 'PRESENCE', 'MODERATE'] as const;
type Action = (typeof ACTIONS)[number];

const EXPLAIN = `query ($token: ID, $channel: ID!, $action: Action!) {
  explainPermission(token: $token, channel: $channel, action: $action) { allowed rule because }
}`;

/** Calls explainPermission with the API key, or with `bearer`. */
async function explain(
  { request }: ServiceClient,
  token: string | undefined,
  channel: string,
  action: Action,
  bearer?: string,
): Promise<{ allowed: boolean; rule: string; because: string }> {
  return (await request(EXPLAIN, { token, channel, action }, bearer)).explainPermission;
}

const restrict = ({ request }: ServiceClient, kind: 'mute' | 'ban', token: string, channel: string) =>
  request(`mutation ($t: ID!, $c: ID!) { ${kind}(token: $t, channel: $c) { id } }`, { t: token, c: channel });

test('explainPermission names the deciding rule and explains it, for every rule', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  for (const type of ['UNPROTECTED', 'PUBLIC', 'PRIVATE'])
    await createChannel(signalbox, type.toLowerCase(), { type });
  const narrow = [{ channels: 'elsewhere', actions: ['PUBLISH'] }];
  const [publisher, guest, narrowed, muted, banned, ended, revoked] = [
    await mint(signalbox, { channels: ['private'] }),
    await mint(signalbox, { role: 'GUEST' }),
    await mint(signalbox, { grants: narrow }),
    await mint(signalbox),
    await mint(signalbox),
    await mint(signalbox, { expiresIn: 1 }),
    await mint(signalbox),
  ];
  await restrict(signalbox, 'mute', muted.id, 'public');
  await restrict(signalbox, 'ban', banned.id, 'public');
  await signalbox.request(`mutation ($t: ID!) { revokeToken(id: $t) { id } }`, { t: revoked.id });
  const signed = forge(
    { alg: 'HS256', kid: API_KEY.split('.')[0] },
    { sub: 'ada', grants: narrow },
    signingSecretOf(API_KEY),
  );
  const { viewer } = await signalbox.request(`{ viewer { token { id } } }`, {}, signed);
  await clock.advance(1000);

  const expected: [string | undefined, string, Action, string][] = [
    [
      publisher.id,
      'private',
      'PUBLISH',
      'yes ALLOWED: the role PUBLISHER allows PUBLISH in PRIVATE channels',
    ],
    [publisher.id, 'nowhere', 'PUBLISH', 'no NO_CHANNEL: there is no such channel'],
    [ended.id, 'public', 'SUBSCRIBE', 'no TOKEN_ENDED: the token has expired or was revoked'],
    [revoked.id, 'public', 'SUBSCRIBE', 'no TOKEN_ENDED: the token has expired or was revoked'],
    [banned.id, 'public', 'SUBSCRIBE', 'no BANNED: the token is banned from this channel'],
    [
      banned.id,
      'unprotected',
      'SUBSCRIBE',
      'yes ALLOWED: the role PUBLISHER allows SUBSCRIBE in UNPROTECTED channels',
    ],
    [
      guest.id,
      'private',
      'SUBSCRIBE',
      'no ROLE: the role GUEST does not allow SUBSCRIBE in PRIVATE channels',
    ],
    [muted.id, 'private', 'SUBSCRIBE', 'no MEMBERSHIP: the token is not subscribed to this PRIVATE channel'],
    [narrowed.id, 'public', 'PUBLISH', 'no GRANTS: no grant of the token allows PUBLISH here'],
    [viewer.token.id, 'public', 'PUBLISH', 'no GRANTS: no grant of the credential allows PUBLISH here'],
    [muted.id, 'public', 'PUBLISH', 'no MUTED: the token is muted here'],
    [muted.id, 'public', 'SUBSCRIBE', 'yes ALLOWED: the role PUBLISHER allows SUBSCRIBE in PUBLIC channels'],
    [
      undefined,
      'unprotected',
      'SUBSCRIBE',
      'yes ANONYMOUS: anonymous callers may SUBSCRIBE in UNPROTECTED channels',
    ],
    [
      undefined,
      'public',
      'SUBSCRIBE',
      'no ANONYMOUS: anonymous callers may not SUBSCRIBE in PUBLIC channels',
    ],
  ];
  const reached = new Set<string>();
  for (const [token, channel, action, explanation] of expected) {
    const { allowed, rule, because } = await explain(signalbox, token, channel, action);
    expect(`${allowed ? 'yes' : 'no'} ${rule}: ${because}`).toBe(explanation);
    reached.add(rule);
  }
  // No query explains the permissions of an API key, so no case above reaches that rule.
  const { __type } = await signalbox.request(`{ __type(name: "PermissionRule") { enumValues { name } } }`);
  const rules: string[] = __type.enumValues.map(({ name }: { name: string }) => name);
  expect([...reached, 'API_KEY'].sort()).toEqual(rules.sort());
});

test('explainPermission is allowed for API keys, and for a token about itself only', async () => {
  await using signalbox = await startService();
  const other = await createProject(signalbox, 'other');
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const [ada, ben] = [await mint(signalbox), await mint(signalbox)];
  const ask = async (token: string | undefined, bearer?: string | null, api: ServiceClient = signalbox) =>
    api.ask(EXPLAIN, { token, channel: 'news', action: 'SUBSCRIBE' }, bearer);
  expect(codeOf(await ask('token_none'))).toBe('NOT_FOUND');
  expect(codeOf(await ask(ada.id, undefined, other))).toBe('NOT_FOUND');
  expect(codeOf(await ask(ada.id, null))).toBe('UNAUTHENTICATED');
  expect(codeOf(await ask(undefined, null))).toBe('UNAUTHENTICATED');
  expect(codeOf(await ask(undefined, ada.credential))).toBe('FORBIDDEN');
  const [another, none] = [await ask(ben.id, ada.credential), await ask('token_none', ada.credential)];
  expect(codeOf(another)).toBe('FORBIDDEN');
  expect(none).toEqual(another);
  expect(await explain(signalbox, ada.id, 'news', 'SUBSCRIBE', ada.credential)).toEqual(
    await explain(signalbox, ada.id, 'news', 'SUBSCRIBE'),
  );
});

test('explainPermission answers a token the same for PRIVATE channels that exist and for missing ones', async () => {
  await using signalbox = await startService();
  const kinds = [{ name: 'vault', type: 'PRIVATE' }];
  const stated = [
    { role: 'PUBLISHER', kind: 'vault', actions: [] },
    { role: 'GUEST', kind: 'vault', actions: [...ACTIONS] },
  ];
  await changeSettings(signalbox, {
    permissions: { kinds, stated, roles: [{ name: 'host', like: 'MODERATOR' }] },
  });
  await createChannel(signalbox, 'secret', { kind: 'vault' });
  await createChannel(signalbox, 'hidden');
  const askers = [
    await mint(signalbox),
    await mint(signalbox, { role: 'GUEST' }),
    await mint(signalbox, { customRole: 'host' }),
    await mint(signalbox, { grants: [{ channels: 'secret', actions: [...ACTIONS] }] }),
  ];
  await changeSettings(signalbox, { permissions: { kinds, stated } });
  for (const { id, credential } of askers)
    for (const action of ACTIONS) {
      const missing = await explain(signalbox, id, 'nowhere', action, credential);
      expect(missing.allowed).toBe(false);
      for (const channel of ['secret', 'hidden'])
        expect(await explain(signalbox, id, channel, action, credential)).toEqual(missing);
    }
  // A member of the channel gets the full answer.
  await subscribeToken(signalbox, 'hidden', askers[0]!.id);
  expect(await explain(signalbox, askers[0]!.id, 'hidden', 'PUBLISH', askers[0]!.credential)).toMatchObject({
    allowed: true,
  });
});

test('during the grace period, explainPermission answers ALLOWED to the live connection and TOKEN_ENDED to API keys', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  await changeSettings(signalbox, { expiryGraceSeconds: 30 });
  await createChannel(signalbox, 'news', { type: 'PUBLIC' });
  const { id, credential } = await mint(signalbox, { expiresIn: 60 });
  const client = signalbox.client({ token: credential });
  queueResults(client, `subscription { events { __typename } }`);
  await roundTrip(client);
  await clock.advance(60_000);
  const asked = { token: id, channel: 'news', action: 'PUBLISH' };
  expect(await queueResults(client, EXPLAIN, asked).next()).toMatchObject({
    explainPermission: { rule: 'ALLOWED' },
  });
  const published = queueResults(
    client,
    `mutation { publishMessage(channel: "news", event: "e") { repeated } }`,
  );
  expect(await published.next()).toEqual({ publishMessage: { repeated: false } });
  expect(await explain(signalbox, id, 'news', 'PUBLISH')).toMatchObject({ rule: 'TOKEN_ENDED' });
});
