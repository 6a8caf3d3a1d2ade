import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createChannel, mint, roundTrip, updateToken, type MintedToken } from '../support/backend.ts';
import { queueResults } from '../support/result-queue.ts';
import { changeSettings, codeOf } from '../support/projects.ts';
import { startService, type ServiceClient, type TestService } from '../support/service.ts';

const ACTIONS = ['SUBSCRIBE', 'PUBLISH', 'PRESENCE', 'MODERATE'] as const;
type Action = (typeof ACTIONS)[number];

const EXPLAIN = `query ($token: ID, $channel: ID!, $action: Action!) {
  explainPermission(token: $token, channel: $channel, action: $action) { allowed }
}`;

const restrict = ({ request }: ServiceClient, kind: 'mute' | 'ban', token: string, channel: string) =>
  request(`mutation ($t: ID!, $c: ID!) { ${kind}(token: $t, channel: $c) { id } }`, { t: token, c: channel });

/** Tries the action with the token's credential. Resolves to whether the service allowed it. */
async function tryAction(
  signalbox: TestService,
  { credential }: MintedToken,
  channel: string,
  action: Action,
) {
  const fields = {
    SUBSCRIBE: `query ($c: ID!) { channel(id: $c) { id } }`,
    PUBLISH: `mutation ($c: ID!) { publishMessage(channel: $c, event: "e") { repeated } }`,
    MODERATE: `mutation ($c: ID!) { setChannelState(channel: $c, state: {}) { id } }`,
  };
  if (action !== 'PRESENCE') {
    const code = codeOf(await signalbox.ask(fields[action], { c: channel }, credential));
    expect([undefined, 'FORBIDDEN']).toContain(code);
    return code === undefined;
  }
  const client = signalbox.client({ token: credential });
  let isRefused = false;
  const presence = queueResults(client, `subscription ($c: ID!) { presence(channel: $c) { change } }`, {
    c: channel,
  });
  void presence.ended.then(() => (isRefused = true));
  await roundTrip(client);
  await client.dispose();
  return !isRefused;
}

test('explainPermission and allowedActions agree with the result of the action itself (40 random set-ups)', async () => {
  await using signalbox = await startService({ publishesPerSecondPerToken: 1_000_000 });
  const kinds = [{ name: 'stage', type: 'PUBLIC' }];
  const roles = [{ name: 'host', like: 'MODERATOR' }];
  const actions = fc.subarray([...ACTIONS]);
  const grants = fc.option(
    fc.array(fc.record({ channels: fc.constantFrom('c*', 'x'), actions }), { maxLength: 2 }),
    {
      nil: null,
    },
  );
  let count = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        role: fc.constantFrom('GUEST', 'SUBSCRIBER', 'PUBLISHER', 'MODERATOR', 'host'),
        kind: fc.constantFrom('UNPROTECTED', 'PUBLIC', 'PRIVATE', 'stage'),
        isMember: fc.boolean(),
        stated: fc.option(actions, { nil: null }),
        restriction: fc.constantFrom('mute' as const, 'ban' as const, null, null),
        grants,
      }),
      async ({ role, kind, isMember, stated, restriction, grants: narrowed }) => {
        const channel = `c${++count}`;
        const cells = stated ? [{ role, kind, actions: stated }] : [];
        await changeSettings(signalbox, { permissions: { kinds, roles, stated: [] } });
        await createChannel(signalbox, channel, kind === 'stage' ? { kind } : { type: kind });
        const token = await mint(signalbox, { channels: isMember ? [channel] : [] });
        const roleInput = role === 'host' ? { customRole: role } : { role };
        await updateToken(signalbox, token.id, { ...roleInput, grants: narrowed });
        await changeSettings(signalbox, { permissions: { kinds, roles, stated: cells } });
        if (restriction) await restrict(signalbox, restriction, token.id, channel);
        const succeeded: Action[] = [];
        for (const action of ACTIONS) {
          const asked = { token: token.id, channel, action };
          const { explainPermission } = await signalbox.request(EXPLAIN, asked);
          const { allowed } = explainPermission;
          expect(await signalbox.request(EXPLAIN, asked, token.credential)).toMatchObject({
            explainPermission: { allowed },
          });
          expect([action, await tryAction(signalbox, token, channel, action)]).toEqual([action, allowed]);
          if (allowed) succeeded.push(action);
        }
        const { viewer } = await signalbox.request(
          `query ($c: ID!) { viewer { allowedActions(channel: $c) } }`,
          { c: channel },
          token.credential,
        );
        expect(viewer.allowedActions).toEqual(succeeded);
      },
    ),
    { numRuns: 40 },
  );
});
