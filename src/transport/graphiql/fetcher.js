/* global graphqlWs */

/** Mutations of the caller's own connection. They are refused over plain HTTP. */
const CONNECTION_MUTATIONS = ['reauthenticate', 'setPresence'];

/** After this close code a retry is useless, because it would use the same expired or revoked credential. */
const RENEW = 4403;

const PLACEHOLDER = /(?:key|token|credential)_…/g;

/** What to do about a placeholder that has no value yet. */
const HINTS = {
  'key_…':
    'Replace key_… under Headers by your API key, which the service printed at its first start. To call anonymously, remove the header.',
  'credential_…':
    'Play tab 2 in this window first, or replace credential_… under Headers by a credential. To call anonymously, remove the header.',
  'token_…': 'Play tab 2 in this window first, or replace token_… under Variables by the id of a token.',
};

/** Upper limit of the exponential backoff. */
const MAX_RETRY_WAIT_MS = 8_000;

/**
 * Creates the fetcher of GraphiQL: queries and mutations by POST; subscriptions and mutations of the connection over a
 * WebSocket to the same URL.
 */
export function createFetcher(endpoint) {
  const placeholders = createPlaceholders();
  const clients = new Map();

  // One client for each credential. Its socket is open while an operation is running.
  function clientOf(connectionParams) {
    const key = JSON.stringify(connectionParams);
    const client = clients.get(key) ?? createClient(endpoint, connectionParams);
    clients.set(key, client);
    return client;
  }

  return ({ query, variables, operationName }, { headers, documentAST } = {}) => {
    const operation = operationOf(documentAST, operationName);
    const filledHeaders = placeholders.fillHeaders(headers);
    const payload = { query, operationName, variables: placeholders.fill(variables) };
    // GraphiQL reads the schema before anything is entered. Other operations would run as an anonymous caller, unnoticed.
    const missing = placeholders.missingIn({ headers, variables });
    if (missing && operationName !== 'IntrospectionQuery') return Promise.resolve(failure(HINTS[missing]));
    if (needsSocket(operation))
      return observe(clientOf(connectionParamsOf(filledHeaders)), operation, payload);
    return post(endpoint, filledHeaders, payload).then(({ ok, result }) => {
      if (ok) placeholders.remember(filledHeaders, result);
      return result;
    });
  };
}

/**
 * Creates the values of the placeholders that the tabs contain: `key_…` is the API key used last, `token_…` and
 * `credential_…` are the token and credential created last. The values live as long as the page. A header with a
 * placeholder that has no value yet is not sent: only the query for the schema is then sent at all.
 */
function createPlaceholders() {
  const values = {};
  const fill = (value) => {
    if (value === undefined) return undefined;
    const text = JSON.stringify(value);
    return JSON.parse(text.replace(PLACEHOLDER, (placeholder) => values[placeholder] ?? placeholder));
  };
  return {
    fill,
    /** The first placeholder that has no value yet. */
    missingIn: (value) =>
      JSON.stringify(value)
        .match(PLACEHOLDER)
        ?.find((placeholder) => values[placeholder] === undefined),
    fillHeaders: (headers) =>
      new Headers(Object.entries(fill(headers ?? {})).filter(([, value]) => !/[…<]/.test(String(value)))),
    remember(headers, { data }) {
      const key = bearerOf(headers);
      if (key?.startsWith('key_')) values['key_…'] = key;
      for (const field of Object.values(data ?? {})) {
        if (!field?.credential) continue;
        values['credential_…'] = field.credential;
        if (field.token?.id) values['token_…'] = field.token.id;
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

function needsSocket(operation) {
  if (operation?.operation === 'subscription') return true;
  return (
    operation?.selectionSet.selections.some((field) => CONNECTION_MUTATIONS.includes(field.name?.value)) ??
    false
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

/**
 * Runs an operation over the socket, as an observable. An operation that declares `$since` resumes from the last cursor
 * after a reconnect.
 */
function observe(client, operation, { query, operationName, variables }) {
  const resumes = operation.variableDefinitions?.some(({ variable }) => variable.name.value === 'since');
  let cursor = variables?.since;
  const payload = {
    query,
    operationName,
    // A getter, because the client reads the variables each time it subscribes.
    get variables() {
      return resumes ? { ...variables, since: cursor } : variables;
    },
  };
  return {
    subscribe(sink) {
      // GraphiQL would otherwise show the last result until the client has reconnected.
      const stopWatching = client.on('closed', () =>
        sink.next(failure('The connection was closed. Reconnecting…')),
      );
      const unsubscribe = client.subscribe(payload, {
        next(result) {
          cursor = cursorOf(result) ?? cursor;
          sink.next(result);
        },
        error(problem) {
          stopWatching();
          sink.error(describe(problem));
        },
        complete() {
          stopWatching();
          sink.complete();
        },
      });
      return {
        unsubscribe() {
          stopWatching();
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
  return { message: `The connection was closed: ${problem.code} ${problem.reason}` };
}
