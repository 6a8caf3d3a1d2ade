import { type Answer, type ServiceClient } from './service.ts';

const UPDATE = `mutation ($settings: ProjectSettingsInput!) { updateProject(settings: $settings) { id } }`;

/** Changes settings of the project, with its API key; yields the answer whatever it is. */
export function askSettings({ ask }: ServiceClient, settings: object): Promise<Answer> {
  return ask(UPDATE, { settings });
}

/** The same, but fails on errors. */
export async function changeSettings({ request }: ServiceClient, settings: object): Promise<void> {
  await request(UPDATE, { settings });
}

/** Another project as its backend meets it, with an API key of its own. */
export async function createProject(doors: ServiceClient, id: string): Promise<ServiceClient> {
  const { createProject } = await doors.request(
    `mutation ($id: ID!) { createProject(input: { id: $id }) { secret } }`,
    { id },
  );
  const { secret } = createProject;
  return {
    ...doors,
    ask: (query, variables, bearer = secret) => doors.ask(query, variables, bearer),
    request: (query, variables, bearer = secret) => doors.request(query, variables, bearer),
    client: (connectionParams = { apiKey: secret }, options = {}) => doors.client(connectionParams, options),
  };
}

/** The code of the first error; undefined where there is none. */
export function codeOf({ errors }: Pick<Answer, 'errors'>): unknown {
  return errors?.[0]?.extensions['code'];
}
