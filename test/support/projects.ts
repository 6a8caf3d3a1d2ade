import { type Answer, type ServiceClient } from './service.ts';

const UPDATE = `mutation ($settings: ProjectSettingsInput!) { updateProject(settings: $settings) { id } }`;

/** Changes settings of the project, with its API key, and returns the answer with its errors. */
export function askSettings({ ask }: ServiceClient, settings: object): Promise<Answer> {
  return ask(UPDATE, { settings });
}

/** Changes settings of the project. Rejects if the operation has errors. */
export async function changeSettings({ request }: ServiceClient, settings: object): Promise<void> {
  await request(UPDATE, { settings });
}

/** Creates a project and returns a client that uses the API key of this project by default. */
export async function createProject(client: ServiceClient, id: string): Promise<ServiceClient> {
  const { createProject } = await client.request(
    `mutation ($id: ID!) { createProject(input: { id: $id }) { secret } }`,
    { id },
  );
  const { secret } = createProject;
  return {
    ...client,
    ask: (query, variables, bearer = secret) => client.ask(query, variables, bearer),
    request: (query, variables, bearer = secret) => client.request(query, variables, bearer),
    client: (connectionParams = { apiKey: secret }, options = {}) => client.client(connectionParams, options),
  };
}

/** The code of the first error, or undefined if there is none. */
export function codeOf({ errors }: Pick<Answer, 'errors'>): unknown {
  return errors?.[0]?.extensions['code'];
}
