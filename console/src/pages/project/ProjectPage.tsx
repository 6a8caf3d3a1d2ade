import { Loader, Stack } from '@mantine/core';
import { ProjectSettingsDocument } from '../../generated/operations.ts';
import { useSession } from '../../client/session-context.ts';
import { useOperation } from '../../api/use-operation.ts';
import { ErrorNotice } from '../../parts/ErrorNotice.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { Definitions } from './Definitions.tsx';
import { PermissionMatrix } from './PermissionMatrix.tsx';
import { Projects } from './Projects.tsx';
import { SettingsForm } from './SettingsForm.tsx';

/** The settings of the project and its permission matrix. */
export function ProjectPage() {
  const { data, error } = useOperation(ProjectSettingsDocument, {});
  const { apiKey } = useSession();
  const settings = data?.project.settings;
  return (
    <>
      <PageHeader title="Project" about={data && describeProject(data.project)} />
      <ErrorNotice error={error} />
      {!settings && !error && <Loader aria-label="Loading" />}
      {settings && (
        <Stack gap="md">
          <SettingsForm settings={settings} />
          <PermissionMatrix permissions={settings.permissions} />
          <Definitions permissions={settings.permissions} />
        </Stack>
      )}
      {settings && apiKey.isOperator && (
        <Stack mt="md">
          <Projects />
        </Stack>
      )}
    </>
  );
}

const describeProject = ({ name, id }: { name: string; id: string }) =>
  name === id ? id : `${name} (${id})`;
