import { afterAll, beforeAll, expect, test } from 'vitest';
import { KNOWN, PLACES, type CallerFacts, type KnownName } from './callers.ts';
import { CALLS, hasPlace } from './calls.ts';
import { callByHttp, callOn, openFor, type Verdict } from './transports.ts';
import { refusalOf } from './rules.ts';
import { openStage, Spare, type Stage } from './fixture.ts';

/** The other half of the refusals: without it, a call that is wrong in itself would look like one that is refused. */
let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage[Symbol.asyncDispose]());

test.each(Object.entries(KNOWN) as [KnownName, CallerFacts][])(
  '%s may do all the rest',
  async (name, facts) => {
    const presented = stage.presented[name];
    using socket = await openFor(stage.signalbox, presented);
    const refused: Record<string, Verdict> = {};
    let permitted = 0;
    for (const call of CALLS) {
      for (const place of hasPlace(call) ? PLACES : (['room'] as const)) {
        if (refusalOf(call, facts, place, call.isLive ?? false) !== null) continue;
        using spare = new Spare(stage);
        const args = await stage.argsOf(call, place, presented, spare);
        const verdict = await (call.isLive
          ? callOn(socket, call, args)
          : callByHttp(stage.signalbox, presented, call, args));
        if (verdict !== null) refused[`${call.type} ${call.title}, ${place}`] = verdict;
        permitted++;
      }
    }
    expect(refused).toEqual({});
    expect(permitted).toBeGreaterThan(4);
  },
);

test('every call may be made by somebody', () => {
  const everybody = Object.values(KNOWN) as CallerFacts[];
  const isPermitted = (call: (typeof CALLS)[number]) =>
    everybody.some((facts) => PLACES.some((place) => refusalOf(call, facts, place, true) === null));
  expect(CALLS.filter((call) => !isPermitted(call)).map(({ title }) => title)).toEqual([]);
});
