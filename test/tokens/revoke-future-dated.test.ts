import { expect, test } from 'vitest';
import { mint } from '../support/backend.ts';
import { createManualClock } from '../support/clock.ts';
import { createIssuer, refusalCodeOf, STREAM, stream } from '../support/external-credentials.ts';
import { expectRevoked, revoke, subscribeOnBothTransports } from '../support/revocation.ts';
import { startService } from '../support/service.ts';

test('revokeTokens covers a credential whose issuer has a clock that is ahead, for as long as it is valid', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, STREAM);
  const seconds = clock.now() / 1000;
  const ahead = stream.createToken('ada', undefined, seconds + 4);
  const unused = stream.createToken('ada', undefined, seconds + 3);
  const other = stream.createToken('ben', undefined, seconds + 4);
  const live = await subscribeOnBothTransports(signalbox, ahead);
  expect(await refusalCodeOf(signalbox, other)).toBe('open');
  await clock.advance(100);
  expect(await revoke(signalbox, { identity: 'ada' })).toBe(2);
  await expectRevoked(live);
  for (const credential of [ahead, unused])
    expect(await refusalCodeOf(signalbox, credential)).toBe('TOKEN_REVOKED');
  await clock.advance(10_000);
  expect(await refusalCodeOf(signalbox, ahead)).toBe('TOKEN_REVOKED');
  expect(await refusalCodeOf(signalbox, other)).toBe('open');
});

test('revokeTokens accepts what is issued afterwards by clocks that are right', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  await createIssuer(signalbox, STREAM);
  const before = stream.createToken('ada', undefined, clock.now() / 1000);
  expect(await refusalCodeOf(signalbox, before)).toBe('open');
  await clock.advance(1000);
  await revoke(signalbox, { all: true });
  expect(await refusalCodeOf(signalbox, before)).toBe('TOKEN_REVOKED');
  expect(await refusalCodeOf(signalbox, stream.createToken('ada', undefined, clock.now() / 1000))).toBe(
    'open',
  );
  expect(await refusalCodeOf(signalbox, (await mint(signalbox, { identity: 'ada' })).credential)).toBe(
    'open',
  );
});
