import { type Project, type ProjectSettingsInput } from '@signalbox/server';
import { type Command } from 'commander';
import { addCommand, addGroup, openSession, type CommonOptions } from './command.ts';
import { toJson, type Columns } from './output.ts';
import { type RemoteTerminal } from './terminal.ts';
import { parseJson } from './values.ts';

type ProjectRow = Pick<Project, 'id' | 'name' | 'createdAt'>;

interface ProjectPage {
  projects: { nodes: ProjectRow[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

interface CreatedProject {
  project: ProjectRow | null;
  secret: string;
}

const ROW: Columns<ProjectRow> = [
  ['ID', ({ id }) => id],
  ['NAME', ({ name }) => name],
  ['CREATED', ({ createdAt }) => createdAt],
];

const CREATED: Columns<CreatedProject> = [
  ['ID', ({ project }) => project?.id],
  ['API KEY (shown this once)', ({ secret }) => secret],
];

/** `project list|create|settings`. */
export function addProjectCommands(program: Command, terminal: RemoteTerminal): void {
  const project = addGroup(program, 'project', 'Read and change the settings of a project; create projects.');

  addCommand(project, 'settings [settings]', 'Print the settings of the project, or change some of them.')
    .addHelpText(
      'after',
      '\nSETTINGS is JSON as in the input ProjectSettingsInput, such as {"guests":true}; absent settings stay unchanged.',
    )
    .action(async (text: string | undefined, common: CommonOptions) => {
      const { signalbox } = openSession(terminal, common);
      const { settings } =
        text === undefined
          ? await signalbox.project.get()
          : await signalbox.project.update(parseJson('SETTINGS', text) as ProjectSettingsInput);
      await terminal.write(toJson(settings));
    });

  addCommand(project, 'list', 'List all projects. For the operator’s API key.').action(
    async (common: CommonOptions) => {
      const { signalbox, output } = openSession(terminal, common);
      const document = `query ($after: String) {
        projects(first: 100, after: $after) { nodes { id name createdAt } pageInfo { hasNextPage endCursor } }
      }`;
      const list = async function* () {
        let after: string | null = null;
        do {
          const { projects }: ProjectPage = await signalbox.graphql<ProjectPage>(document, { after });
          yield* projects.nodes;
          after = projects.pageInfo.hasNextPage ? projects.pageInfo.endCursor : null;
        } while (after !== null);
      };
      await output.list(list(), ROW);
    },
  );

  addCommand(
    project,
    'create [project]',
    'Create a project, and print its first API key, which is shown this once. The id is generated when absent. For the operator’s API key.',
  )
    .option('--name <text>', 'the display name (default: the id)')
    .action(async (id: string | undefined, { name, ...common }: CommonOptions & { name?: string }) => {
      const { signalbox, output } = openSession(terminal, common);
      const document = `mutation ($input: CreateProjectInput) {
        createProject(input: $input) { project { id name createdAt } apiKey { id } secret }
      }`;
      const { createProject } = await signalbox.graphql<{ createProject: CreatedProject }>(document, {
        input: { id, name },
      });
      await output.one(createProject, CREATED);
    });
}
