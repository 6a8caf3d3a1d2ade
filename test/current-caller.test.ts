import { execute, parse } from 'graphql';
import { expect, test } from 'vitest';
import { type Context } from '../src/schema/context.ts';
import { startMutationsByCurrentRights, withCurrentCaller } from '../src/schema/current-caller.ts';
import { createSchema } from '../src/schema/schema.ts';
import { mint } from './support/backend.ts';
import { API_KEY, startService } from './support/service.ts';

test('each mutation of a request that began anew, because its node was paused, has the rights that the one before left', async () => {
  await using signalbox = await startService();
  const { domain } = signalbox.service;
  const { id } = await mint(signalbox);
  const context = {
    domain,
    caller: await domain.authenticate.apiKey(API_KEY),
    rightsAsOf: domain.rights.changes,
    address: '192.0.2.1',
  } as Partial<Context> as Context;
  const document = parse(`mutation {
    one: updateToken(id: "${id}", input: { connectionData: "one" }) { connectionData }
    two: updateToken(id: "${id}", input: { connectionData: "two" }) { connectionData }
  }`);
  const schema = startMutationsByCurrentRights(createSchema());
  const contextValue = await withCurrentCaller(context);
  expect(await execute({ schema, document, contextValue })).toEqual({
    data: { one: { connectionData: 'one' }, two: { connectionData: 'two' } },
  });
});
