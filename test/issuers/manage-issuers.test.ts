import { expect, test } from 'vitest';
import { createManualClock } from '../support/clock.ts';
import {
  ADD_KEY,
  CREATE_ISSUER,
  errorOf,
  JWKS,
  listIssuers,
  REMOVE_KEY,
} from '../support/issuer-management.ts';
import { codeOf, createIssuer, OPENTOK, STREAM, TWILIO } from '../support/external-credentials.ts';
import { startService } from '../support/service.ts';

test('lists issuers with every input except secrets, and none after removeIssuer', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const streamId = await createIssuer(signalbox, { ...STREAM, name: 'the old app' });
  const twilioId = await createIssuer(signalbox, TWILIO);
  await createIssuer(signalbox, { ...JWKS, provider: { ...JWKS.provider, claims: { role: '/realm/role' } } });
  expect(
    (await signalbox.request(ADD_KEY, { i: streamId, key: { id: 'second', secret: 'x' } })).addIssuerKey.keys,
  ).toEqual([{ id: 'appkey' }, { id: 'second' }]);
  const createdAt = '2030-01-01T00:00:00.000Z';
  const defaults = { account: null, service: null, provider: null, createdAt };
  const key = { createdAt, expiresAt: null };
  const listed = await listIssuers(signalbox);
  expect(listed.toSorted((a: any, b: any) => a.kind.localeCompare(b.kind))).toEqual([
    {
      ...defaults,
      id: expect.stringMatching(/^issuer_/),
      kind: 'JWKS',
      name: 'JWKS',
      provider: {
        ...JWKS.provider,
        algorithms: ['RS256'],
        claims: { audience: 'aud', identity: 'sub', role: '/realm/role', grants: null, connectionData: null },
      },
      keys: [],
    },
    {
      ...defaults,
      id: streamId,
      kind: 'STREAM',
      name: 'the old app',
      keys: [
        { id: 'appkey', ...key },
        { id: 'second', ...key },
      ],
    },
    {
      ...defaults,
      id: twilioId,
      kind: 'TWILIO',
      name: 'TWILIO',
      account: TWILIO.account,
      service: TWILIO.service,
      keys: [{ id: TWILIO.key.id, ...key }],
    },
  ]);
  expect(JSON.stringify(listed)).not.toContain(STREAM.key.secret);
  for (const { id } of listed)
    await signalbox.request(`mutation ($i: ID!) { removeIssuer(issuer: $i) { id keys { id } } }`, { i: id });
  expect(await listIssuers(signalbox)).toEqual([]);
});

test('no field of a query or subscription is named secret or credential', async () => {
  await using signalbox = await startService();
  const { __schema: schema } =
    await signalbox.request(`{ __schema { types { name fields { name type { name ofType {
    name ofType { name ofType { name } } } } } possibleTypes { name } } } }`);
  const types = new Map<string, any>(schema.types.map((type: any) => [type.name, type]));
  const innermost = (type: any): string => type.name ?? innermost(type.ofType);
  const seen = new Set<string>();
  const names: string[] = [];
  const visit = (name: string) => {
    if (seen.size === seen.add(name).size) return;
    const { fields, possibleTypes } = types.get(name)!;
    for (const field of fields ?? []) {
      names.push(`${name}.${field.name}`);
      visit(innermost(field.type));
    }
    for (const possible of possibleTypes ?? []) visit(possible.name);
  };
  visit('Query');
  visit('Subscription');
  expect(names).toContain('Issuer.keys');
  expect(names).toContain('IssuerKey.expiresAt');
  expect(names.filter((name) => /secret|credential$/i.test(name))).toEqual([]);
});

test('refuses an issuer or key with CONFLICT when credentials would match two issuers', async () => {
  await using signalbox = await startService();
  const stream = await createIssuer(signalbox, STREAM);
  const opentok = await createIssuer(signalbox, OPENTOK);
  await createIssuer(signalbox, JWKS);
  const jwks = (await listIssuers(signalbox)).find(({ kind }: any) => kind === 'JWKS').id;
  const conflict = { code: 'CONFLICT' };
  const secondStream = { ...STREAM, key: { id: 'another', secret: 's' } };
  for (const input of [secondStream, OPENTOK, { ...JWKS, name: 'another' }])
    expect(await errorOf(signalbox, CREATE_ISSUER, { input })).toEqual(conflict);
  expect(await errorOf(signalbox, ADD_KEY, { i: stream, key: STREAM.key })).toEqual(conflict);
  const other = await createIssuer(signalbox, { ...OPENTOK, key: { id: '654321', secret: 's' } });
  expect(await errorOf(signalbox, ADD_KEY, { i: other, key: OPENTOK.key })).toEqual(conflict);
  expect(await errorOf(signalbox, ADD_KEY, { i: jwks, key: OPENTOK.key })).toEqual({
    code: 'BAD_USER_INPUT',
    field: 'key',
  });
  // The kind of a credential selects the issuer before its key does.
  expect(await errorOf(signalbox, ADD_KEY, { i: stream, key: OPENTOK.key })).toBe('none');
  expect(await errorOf(signalbox, ADD_KEY, { i: opentok, key: { id: 'k', secret: '' } })).toEqual({
    code: 'BAD_USER_INPUT',
    field: 'key.secret',
  });
});

test('accepts one of three concurrent createIssuer or addIssuerKey mutations that conflict', async () => {
  await using signalbox = await startService();
  const inputs = [
    STREAM,
    { ...STREAM, key: { id: 'second', secret: 's' } },
    { ...STREAM, key: { id: 'third', secret: 's' } },
  ];
  const created = await Promise.all(inputs.map((input) => signalbox.ask(CREATE_ISSUER, { input })));
  expect(created.map(codeOf).toSorted()).toEqual(['CONFLICT', 'CONFLICT', undefined]);
  const [{ id: i }] = await listIssuers(signalbox);
  const key = { id: 'wanted', secret: 's' };
  const added = await Promise.all([1, 2, 3].map(() => signalbox.ask(ADD_KEY, { i, key })));
  expect(added.map(codeOf).toSorted()).toEqual(['CONFLICT', 'CONFLICT', undefined]);
});

test('throws NOT_FOUND for unknown issuers and keys, and BAD_USER_INPUT for an overlap outside 0 to 30 days', async () => {
  const clock = createManualClock();
  await using signalbox = await startService({}, { clock });
  const i = await createIssuer(signalbox, STREAM);
  const remove = (variables: object) =>
    errorOf(signalbox, REMOVE_KEY, { i, k: 'appkey', s: 0, ...variables });
  for (const s of [-1, 30 * 86_400 + 1])
    expect(await remove({ s })).toEqual({ code: 'BAD_USER_INPUT', field: 'overlapSeconds' });
  expect(await remove({ k: 'unknown' })).toEqual({ code: 'NOT_FOUND' });
  expect(await remove({ i: 'issuer_unknown' })).toEqual({ code: 'NOT_FOUND' });
  expect(await errorOf(signalbox, ADD_KEY, { i: 'issuer_unknown', key: STREAM.key })).toEqual({
    code: 'NOT_FOUND',
  });
  expect(await remove({ s: 30 * 86_400 })).toBe('none');
  expect((await listIssuers(signalbox))[0].keys[0].expiresAt).toBe('2030-01-31T00:00:00.000Z');
  expect(await remove({ s: 60 })).toBe('none');
  await clock.advance(60_000);
  // The key has expired. Removing it again with an overlap must not make it valid again.
  expect(await remove({ s: 60 })).toEqual({ code: 'NOT_FOUND' });
  expect((await listIssuers(signalbox))[0].keys).toEqual([]);
});
