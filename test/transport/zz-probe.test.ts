import { test } from 'vitest';
import { startService } from '../support/service.ts';
test('probe', async () => {
  await using s = await startService();
  const go = async (name: string, init: RequestInit, path = '/graphql') => {
    const r = await fetch(s.url + path, init);
    console.log(name, r.status, r.headers.get('content-type'), (await r.text()).slice(0, 300));
  };
  const post = (body: unknown, headers: Record<string, string> = {}) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  for (const accept of ['application/json', 'application/graphql-response+json', 'text/event-stream']) {
    await go(
      'bad bearer ' + accept,
      post({ query: '{viewer{kind}}' }, { authorization: 'Bearer nope', accept }),
    );
    await go('bad json ' + accept, post('{nope', { accept }));
    await go('no query ' + accept, post('{}', { accept }));
    await go('array ' + accept, post('[{"query":"{viewer{kind}}"}]', { accept }));
    await go(
      'badvars ' + accept,
      post({ query: 'query($t:ID!){isOnline(token:$t)}', variables: {} }, { accept }),
    );
    await go(
      'badvars sub ' + accept,
      post({ query: 'subscription($t:ID!){messages(channel:$t){id}}', variables: {} }, { accept }),
    );
    await go('unauth ' + accept, post({ query: '{tokens{nodes{id}}}', variables: {} }, { accept }));
    await go(
      'notfound ' + accept,
      post(
        { query: '{channel(id:"x"){id}}', variables: {} },
        { accept, authorization: `Bearer ${s.apiKey}` },
      ),
    );
    await go(
      'unknown op ' + accept,
      post({ query: 'query A{viewer{kind}} query B {viewer{kind}}', operationName: 'C' }, { accept }),
    );
    await go('no op ' + accept, post({ query: 'query A{viewer{kind}} query B {viewer{kind}}' }, { accept }));
    await go('validation ' + accept, post({ query: '{nope}' }, { accept }));
    await go('parse ' + accept, post({ query: '{' }, { accept }));
    await go('subscription ' + accept, post({ query: 'subscription{nope}' }, { accept }));
    await go(
      'subscription bad cursor ' + accept,
      post({ query: 'subscription{events(since:"x"){at}}' }, { accept }),
    );
  }
  await go(
    'GET mutation',
    {},
    '/graphql?query=' + encodeURIComponent('mutation{createChannel(input:{}){id}}'),
  );
  await go('subscription with json', {
    ...post({ query: 'subscription{events{at}}' }, { accept: 'application/json' }),
    signal: AbortSignal.timeout(3000),
  }).catch(console.log);
  await go('text/plain', {
    method: 'POST',
    body: '{"query":"{viewer{kind}}"}',
    headers: { 'content-type': 'text/plain' },
  });
  await go('PUT', {
    method: 'PUT',
    body: '{"query":"{viewer{kind}}"}',
    headers: { 'content-type': 'application/json' },
  });
  console.log(
    await (await fetch(s.url + '/metrics')).text().then((t) =>
      t
        .split('\n')
        .filter((l) => l.startsWith('signalbox_'))
        .join('\n'),
    ),
  );
});
