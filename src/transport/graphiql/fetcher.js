/* global graphqlWs */

/** Mutations that concern the socket they come by; over plain HTTP they are refused. */
const LIVE_MUTATIONS = ['reauthenticate', 'setPresence'];

/** Closed with 4403, a socket would be opened again with the same credential, in vain. */
const RENEW = 4403;

const MAX_RETRY_WAIT_MS = 8_000;

/** GraphiQL's one way to the service: queries and mutations by POST, what is live over a WebSocket to the same address. */
export function createFetcher(endpoint) {
  const memory = createMemory();
  const clients = new Map();

  // One socket per credential, open while something runs on it.
  function clientOf(connectionParams) {
    const key = JSON.stringify(connectionParams);
    const client = clients.get(key) ?? createClient(endpoint, connectionParams);
    clients.set(key, client);
    return client;
  }

  return ({ query, variables, operationName }, { headers, documentAST } = {}) => {
    const operation = operationOf(documentAST, operationName);
    const sent = memory.headers(headers);
    const payload = { query, operationName, variables: memory.fill(variables) };
    if (isLive(operation)) return observe(clientOf(connectionParamsOf(sent)), operation, payload);
    return post(endpoint, sent, payload).then(({ ok, result }) => {
      if (ok) memory.learn(sent, result);
      return result;
    });
  };
}

/**
 * What stands in for a placeholder that a tab still shows: the API key that was used last, the token and credential that
 * were made last. It lives as long as the page; a header whose placeholder stands for nothing yet is not sent.
 */
function createMemory() {
  const known = {};
  const fill = (value) => {
    if (value === undefined) return undefined;
    const text = JSON.stringify(value);
    return JSON.parse(
      text.replace(/(key|token|credential)_…/g, (placeholder) => known[placeholder] ?? placeholder),
    );
  };
  return {
    fill,
    headers: (given) =>
      new Headers(Object.entries(fill(given ?? {})).filter(([, value]) => !/[…<]/.test(String(value)))),
    learn(headers, { data }) {
      const key = bearerOf(headers);
      if (key?.startsWith('key_')) known['key_…'] = key;
      for (const field of Object.values(data ?? {})) {
        if (!field?.credential) continue;
        known['credential_…'] = field.credential;
        if (field.token?.id) known['token_…'] = field.token.id;
      }
    },
  };
}

function bearerOf(headers) {
  return /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1];
}

function connectionParamsOf(headers) {
  const bearer = bearerOf(headers);
  const project = headers.get('project');
  return {
    ...(bearer && { [bearer.startsWith('key_') ? 'apiKey' : 'token']: bearer }),
    ...(project && { project }),
  };
}

function operationOf(document, name) {
  return document?.definitions.find(
    (definition) => definition.kind === 'OperationDefinition' && (!name || definition.name?.value === name),
  );
}

function isLive(operation) {
  if (operation?.operation === 'subscription') return true;
  return (
    operation?.selectionSet.selections.some((field) => LIVE_MUTATIONS.includes(field.name?.value)) ?? false
  );
}

async function post(endpoint, headers, payload) {
  headers.set('content-type', 'application/json');
  headers.set('accept', 'application/graphql-response+json, application/json');
  let text;
  try {
    const body = JSON.stringify(payload);
    const response = await fetch(endpoint, { method: 'POST', headers, body, credentials: 'omit' });
    text = await response.text();
    return { ok: response.ok, result: JSON.parse(text) };
  } catch {
    return { ok: false, result: failure(text ?? 'The service could not be reached.') };
  }
}

function failure(message) {
  return { errors: [{ message }] };
}

function createClient(endpoint, connectionParams) {
  return graphqlWs.createClient({
    url: endpoint.href.replace(/^http/, 'ws'),
    connectionParams,
    retryAttempts: Infinity,
    retryWait: (retries) =>
      new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** retries, MAX_RETRY_WAIT_MS))),
    shouldRetry: (problem) => problem.code !== RENEW,
  });
}

/** An operation over the socket, as an observable. One that declares `$since` goes on after a reconnect where it was. */
function observe(client, operation, { query, operationName, variables }) {
  const resumes = operation.variableDefinitions?.some(({ variable }) => variable.name.value === 'since');
  let cursor = variables?.since;
  const payload = {
    query,
    operationName,
    // A getter, since the client reads the variables anew each time it subscribes.
    get variables() {
      return resumes ? { ...variables, since: cursor } : variables;
    },
  };
  return {
    subscribe(sink) {
      // Until the client is back, GraphiQL would go on showing the last result as if nothing had happened.
      const forget = client.on('closed', () => sink.next(failure('The socket is closed; trying again.')));
      const unsubscribe = client.subscribe(payload, {
        next(result) {
          cursor = cursorOf(result) ?? cursor;
          sink.next(result);
        },
        error(problem) {
          forget();
          sink.error(describe(problem));
        },
        complete() {
          forget();
          sink.complete();
        },
      });
      return {
        unsubscribe() {
          forget();
          unsubscribe();
        },
      };
    },
  };
}

function cursorOf({ data }) {
  const [root] = Object.values(data ?? {});
  return root?.message?.cursor ?? root?.cursor;
}

function describe(problem) {
  if (Array.isArray(problem) || problem instanceof Error) return problem;
  return { message: `The socket was closed: ${problem.code} ${problem.reason}` };
}
