import { expect, test } from 'vitest';
import { startService } from '../support/service.ts';

/** Each call returns a secret once, and selects a field below the new object that its caller may not read. */
test.each([
  {
    call: 'createProject',
    mutation: 'createProject(input: { id: "other" }) { secret project { issuers { id } } }',
    bearer: undefined,
  },
  {
    call: 'createGuest, for a stranger',
    mutation: 'createGuest { secret: credential cursor token { id isOnline } }',
    bearer: null,
  },
  {
    call: 'createGuest, with the connections',
    mutation: 'createGuest { secret: credential token { connections { id } } }',
    bearer: null,
  },
])('$call returns its secret beside the error of a field below it', async ({ mutation, bearer }) => {
  await using signalbox = await startService();
  const { data, errors } = await signalbox.ask(`mutation { result: ${mutation} }`, {}, bearer);
  expect(errors?.[0]?.extensions['code']).toMatch(/FORBIDDEN|UNAUTHENTICATED/);
  expect(data.result.secret).toMatch(/^(key_|eyJ)/);
  const ofProject = data.result.secret.startsWith('key_') ? { kind: 'API_KEY' } : { kind: 'TOKEN' };
  expect((await signalbox.request('{ viewer { kind } }', {}, data.result.secret)).viewer).toEqual(ofProject);
});

test('every object beside a one-time secret is nullable', async () => {
  await using signalbox = await startService();
  const query = `{ __schema { types { name fields { name type { kind ofType { kind } } } } } }`;
  const { types } = (await signalbox.request(query)).__schema;
  const withSecret = types.filter(({ fields }: any) =>
    fields?.some(({ name }: any) => name === 'secret' || name === 'credential'),
  );
  expect(withSecret.map(({ name }: any) => name).sort()).toEqual([
    'ApiKeyPayload',
    'CreateTokenPayload',
    'ProjectPayload',
  ]);
  for (const { name, fields } of withSecret)
    for (const field of fields)
      expect([name, field.name, field.type.ofType?.kind]).not.toEqual([name, field.name, 'OBJECT']);
});

test('an error without a credential states that the credential is missing and does not mention the channel', async () => {
  await using signalbox = await startService();
  for (const query of [
    '{ channel(id: "lobby") { id } }',
    'mutation { publishMessage(channel: "lobby", event: "x") { connections } }',
    '{ tokens { nodes { id } } }',
    '{ isOnline(token: "token_x") }',
    '{ viewer { directMessages(last: 1) { nodes { id } } } }',
  ]) {
    const [error] = (await signalbox.ask(query, {}, null)).errors ?? [];
    expect({ query, code: error?.extensions['code'] }).toEqual({ query, code: 'UNAUTHENTICATED' });
    expect(error?.message).toMatch(/^No credential was sent/);
  }
});
