import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACCEPTED_CALLERS, CHANNELS, type CallerProfile, type AcceptedName } from './callers.ts';
import { CALLS, hasTargetChannel } from './calls.ts';
import { callByHttp, callOnSocket, openSocketFor, type CallOutcome } from './transports.ts';
import { expectedRefusal } from './rules.ts';
import { createFixture, SparePool, type Fixture } from './fixture.ts';

// The counterpart of authorization-matrix.test.ts: without it, an invalid call would look like a refused one.

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

test.each(Object.entries(ACCEPTED_CALLERS) as [AcceptedName, CallerProfile][])(
  '%s may make every call that it has permission for',
  async (name, profile) => {
    const credentials = fixture.credentials[name];
    using socket = await openSocketFor(fixture.signalbox, credentials);
    const refused: Record<string, CallOutcome> = {};
    let permitted = 0;
    for (const call of CALLS) {
      for (const channel of hasTargetChannel(call) ? CHANNELS : (['room'] as const)) {
        if (expectedRefusal(call, profile, channel, call.isLive ?? false) !== null) continue;
        using sparePool = new SparePool(fixture);
        const args = await fixture.argsOf(call, channel, credentials, sparePool);
        const outcome = await (call.isLive
          ? callOnSocket(socket, call, args)
          : callByHttp(fixture.signalbox, credentials, call, args));
        if (outcome !== null) refused[`${call.type} ${call.title}, ${channel}`] = outcome;
        permitted++;
      }
    }
    expect(refused).toEqual({});
    expect(permitted).toBeGreaterThan(4);
  },
);

test('every call is permitted to at least one caller', () => {
  const callers = Object.values(ACCEPTED_CALLERS) as CallerProfile[];
  const isPermitted = (call: (typeof CALLS)[number]) =>
    callers.some((profile) =>
      CHANNELS.some((channel) => expectedRefusal(call, profile, channel, true) === null),
    );
  expect(CALLS.filter((call) => !isPermitted(call)).map(({ title }) => title)).toEqual([]);
});
