import { expect, test } from 'vitest';
import { mint } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { createFolder } from '../support/folder.ts';
import { startService, type Answer } from '../support/service.ts';

const HOUR_MS = 3_600_000;
const codeOf = ({ errors }: Answer) => errors?.[0]?.extensions['code'];
const WHO = '{ viewer { kind } }';

test.each([10_000, 60_000, HOUR_MS])(
  'a credential stays valid when the clock is set back by %i ms, also after a restart',
  async (ms) => {
    using folder = createFolder();
    const clock = createManualClock();
    let credential: string;
    {
      await using signalbox = await startService({ data: folder.path }, { clock });
      ({ credential } = await mint(signalbox));
      clock.jump(-ms);
      expect(codeOf(await signalbox.ask(WHO, {}, credential))).toBeUndefined();
    }
    await using signalbox = await startService({ data: folder.path }, { clock });
    expect(codeOf(await signalbox.ask(WHO, {}, credential))).toBeUndefined();
  },
);

test.each([false, true])(
  'a revocation after the clock was set back covers older credentials, and no newer one (restart: %s)',
  async (restarts) => {
    using folder = createFolder();
    const clock = createManualClock();
    let signalbox = await startService({ data: folder.path }, { clock });
    const old = await mint(signalbox, { identity: 'ada' });
    clock.jump(-HOUR_MS);
    if (restarts) {
      await signalbox[Symbol.asyncDispose]();
      signalbox = await startService({ data: folder.path }, { clock });
    }
    await signalbox.request('mutation { revokeTokens(identity: "ada") { connections } }');
    const young = await mint(signalbox, { identity: 'ada' });
    expect(codeOf(await signalbox.ask(WHO, {}, old.credential))).toBe('TOKEN_REVOKED');
    expect(codeOf(await signalbox.ask(WHO, {}, young.credential))).toBeUndefined();
    await clock.advance(2 * HOUR_MS);
    expect(codeOf(await signalbox.ask(WHO, {}, old.credential))).toBe('TOKEN_REVOKED');
    await signalbox[Symbol.asyncDispose]();
  },
);
