import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLOSE_CODES } from '../../src/transport/close-codes.ts';
import { sendDirect } from '../support/backend.ts';
import {
  ACCEPTED_CALLERS,
  CHANNELS,
  REJECTED_CALLERS,
  type CallerProfile,
  type AcceptedName,
  type RejectedName,
} from './callers.ts';
import { CALLS, hasTargetChannel, type Call } from './calls.ts';
import {
  callByHttp,
  callOnSocket,
  openSocketFor,
  connectionParamsOf,
  type CallOutcome,
} from './transports.ts';
import { tryConnect } from './authenticate.ts';
import { expectedRefusal } from './rules.ts';
import { takeSnapshot } from './snapshot.ts';
import { createFixture, SparePool, type Fixture } from './fixture.ts';

let fixture: Fixture;
let sparePool: SparePool;
let bystander: string;
let before: object;

beforeAll(async () => {
  fixture = await createFixture();
  sparePool = new SparePool(fixture);
  bystander = await sparePool.get('<token>');
  const { request } = fixture.signalbox;
  // Create restrictions and a revocation, so that a call that wrongly lifts or restores one changes the snapshot.
  const [token, identity] = [bystander, await sparePool.get('<identity>')];
  for (const channel of CHANNELS) {
    const target = { t: token, i: identity, c: channel };
    await request(
      `mutation ($t: ID!, $i: String!, $c: ID!) {
        mute(token: $t, channel: $c) { id } muteAll: mute(token: $t) { id } muteName: mute(identity: $i, channel: $c) { id }
      }`,
      target,
    );
  }
  await request(
    `mutation ($t: ID!, $i: String!) {
      ban(token: $t, channel: "den") { id } banName: ban(identity: $i, channel: "den") { id }
      revokeTokens(identity: $i, issuedBefore: "2001-01-01T00:00:00Z") { connections }
    }`,
    { t: token, i: identity },
  );
  for (const placeholder of ['<channel>', '<apiKey>', '<operatorKey>', '<issuer>'] as const)
    await sparePool.get(placeholder);
  await sendDirect(fixture.signalbox, bystander, 'begin');
  while ((await sparePool.nextEvent()).message?.event !== 'begin');
  before = await takeSnapshot(fixture.signalbox, bystander);
});
afterAll(async () => {
  sparePool[Symbol.dispose]();
  await fixture[Symbol.asyncDispose]();
});

/**
 * Every call that the caller must be refused, with the expected code. For callers of another project, also the calls that
 * they may make, because those must not affect this project.
 */
function* refusedCalls(caller: CallerProfile, isSocket: boolean): Iterable<[Call, string, CallOutcome]> {
  for (const call of CALLS) {
    for (const channel of hasTargetChannel(call) && !caller.refused ? CHANNELS : (['room'] as const)) {
      const code = expectedRefusal(call, caller, channel, isSocket);
      if (code === null && (!caller.isForeign || (isSocket && call.type === 'subscription'))) continue;
      yield [call, channel, code];
    }
  }
}

async function expectRefusals(
  name: AcceptedName | RejectedName,
  profile: CallerProfile,
  isSocket: boolean,
  ask: (call: Call, args: object) => Promise<CallOutcome>,
): Promise<void> {
  const [expected, actual]: Record<string, CallOutcome>[] = [{}, {}];
  for (const [call, channel, code] of refusedCalls(profile, isSocket)) {
    const title = `${call.type} ${call.title}, ${channel}`;
    expected![title] = code;
    actual![title] = await ask(
      call,
      await fixture.argsOf(call, channel, fixture.credentials[name], sparePool),
    );
  }
  expect(actual).toEqual(expected);
  expect(Object.keys(expected!).length).toBeGreaterThan(1);
}

const acceptedCallers = Object.entries(ACCEPTED_CALLERS) as [AcceptedName, CallerProfile][];
const rejectedCallers = Object.entries(REJECTED_CALLERS) as [RejectedName, CallerProfile][];

test.each([...acceptedCallers, ...rejectedCallers])(
  '%s is refused every call without permission over HTTP and SSE',
  async (name, profile) => {
    await expectRefusals(name, profile, false, (call, args) =>
      callByHttp(fixture.signalbox, fixture.credentials[name], call, args),
    );
  },
);

test.each(acceptedCallers)(
  '%s is refused every call without permission on a live socket',
  async (name, profile) => {
    using socket = await openSocketFor(fixture.signalbox, fixture.credentials[name]);
    await expectRefusals(name, profile, true, (call, args) => callOnSocket(socket, call, args));
  },
);

test.each(rejectedCallers)(
  '%s is closed with the code of its error when it connects by WebSocket',
  async (name, { refused }) => {
    const { code } = CLOSE_CODES[refused === 'UNAUTHENTICATED' ? 'UNAUTHENTICATED' : 'RENEW'];
    expect(await tryConnect(fixture.signalbox, connectionParamsOf(fixture.credentials[name]))).toBe(code);
  },
);

test.each(rejectedCallers)('%s is refused by reauthenticate', async (name, { refused }) => {
  const { bearer, project } = fixture.credentials[name];
  using socket = await openSocketFor(fixture.signalbox, {
    ...fixture.credentials[project === undefined ? 'a publisher' : 'a moderator of another project'],
  });
  const call = CALLS.find(({ field }) => field === 'reauthenticate')!;
  expect(await callOnSocket(socket, call, { credential: bearer })).toBe(refused);
});

test('the refused calls have changed no state and caused no event', async () => {
  expect(await takeSnapshot(fixture.signalbox, bystander)).toEqual(before);
  await sendDirect(fixture.signalbox, bystander, 'sentinel');
  expect(await sparePool.nextEvent()).toEqual({
    __typename: 'DirectMessage',
    message: { event: 'sentinel' },
  });
});
