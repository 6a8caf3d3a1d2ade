import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLOSE_CODES } from '../../src/transport/close-codes.ts';
import { sendDirect } from '../support/backend.ts';
import { KNOWN, PLACES, STRANGERS, type CallerFacts, type KnownName, type StrangerName } from './callers.ts';
import { CALLS, hasPlace, type Call } from './calls.ts';
import { callByHttp, callOn, openFor, paramsOf, type Verdict } from './transports.ts';
import { knock } from './present.ts';
import { refusalOf } from './rules.ts';
import { takeSnapshot } from './snapshot.ts';
import { openStage, Spare, type Stage } from './fixture.ts';

let stage: Stage;
let spare: Spare;
let bystander: string;
let before: object;

beforeAll(async () => {
  stage = await openStage();
  spare = new Spare(stage);
  bystander = await spare.get('<token>');
  const { request } = stage.signalbox;
  // What could be lifted or restored by whoever may not.
  const [token, identity] = [bystander, await spare.get('<identity>')];
  for (const channel of PLACES) {
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
  for (const prop of ['<channel>', '<apiKey>', '<operatorKey>', '<issuer>'] as const) await spare.get(prop);
  await sendDirect(stage.signalbox, bystander, 'begin');
  while ((await spare.nextEvent()).message?.event !== 'begin');
  before = await takeSnapshot(stage.signalbox, bystander);
});
afterAll(async () => {
  spare[Symbol.dispose]();
  await stage[Symbol.asyncDispose]();
});

/** Every call that this caller is refused; and whatever another project’s may do, for here it must change nothing. */
function* refusedTo(caller: CallerFacts, isSocket: boolean): Iterable<[Call, string, Verdict]> {
  for (const call of CALLS) {
    for (const place of hasPlace(call) && !caller.refused ? PLACES : (['room'] as const)) {
      const code = refusalOf(call, caller, place, isSocket);
      if (code === null && (!caller.isElsewhere || (isSocket && call.type === 'subscription'))) continue;
      yield [call, place, code];
    }
  }
}

async function compare(
  name: KnownName | StrangerName,
  facts: CallerFacts,
  isSocket: boolean,
  ask: (call: Call, args: object) => Promise<Verdict>,
): Promise<void> {
  const [expected, found]: Record<string, Verdict>[] = [{}, {}];
  for (const [call, place, code] of refusedTo(facts, isSocket)) {
    const title = `${call.type} ${call.title}, ${place}`;
    expected![title] = code;
    found![title] = await ask(call, await stage.argsOf(call, place, stage.presented[name], spare));
  }
  expect(found).toEqual(expected);
  expect(Object.keys(expected!).length).toBeGreaterThan(1);
}

const known = Object.entries(KNOWN) as [KnownName, CallerFacts][];
const strangers = Object.entries(STRANGERS) as [StrangerName, CallerFacts][];

test.each([...known, ...strangers])(
  'over HTTP and SSE %s is refused all that is not its own',
  async (name, facts) => {
    await compare(name, facts, false, (call, args) =>
      callByHttp(stage.signalbox, stage.presented[name], call, args),
    );
  },
);

test.each(known)('on a live socket %s is refused all that is not its own', async (name, facts) => {
  using socket = await openFor(stage.signalbox, stage.presented[name]);
  await compare(name, facts, true, (call, args) => callOn(socket, call, args));
});

test.each(strangers)('%s opens no socket', async (name, { refused }) => {
  const { code } = CLOSE_CODES[refused === 'UNAUTHENTICATED' ? 'UNAUTHENTICATED' : 'RENEW'];
  expect(await knock(stage.signalbox, paramsOf(stage.presented[name]))).toBe(code);
});

test.each(strangers)('with %s nobody re-authenticates', async (name, { refused }) => {
  const { bearer, project } = stage.presented[name];
  using socket = await openFor(stage.signalbox, {
    ...stage.presented[project === undefined ? 'a publisher' : 'a moderator of another project'],
  });
  const call = CALLS.find(({ field }) => field === 'reauthenticate')!;
  expect(await callOn(socket, call, { credential: bearer })).toBe(refused);
});

test('nothing of all this has changed anything, and nobody has heard of it', async () => {
  expect(await takeSnapshot(stage.signalbox, bystander)).toEqual(before);
  await sendDirect(stage.signalbox, bystander, 'sentinel');
  expect(await spare.nextEvent()).toEqual({ __typename: 'DirectMessage', message: { event: 'sentinel' } });
});
