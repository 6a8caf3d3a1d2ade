import { Checkbox, Fieldset, Group, SimpleGrid, TagsInput, TextInput } from '@mantine/core';
import { ALGORITHMS, CLAIMS, type ProviderDraft } from './provider-draft.ts';

const CLAIM_FIELDS: Record<(typeof CLAIMS)[number], { label: string; description: string }> = {
  identity: { label: 'Identity', description: 'Empty: sub.' },
  audience: { label: 'Audience', description: 'Empty: aud. Cognito: client_id. Clerk: azp.' },
  role: {
    label: 'Role',
    description: 'Empty: the role of the token applies, PUBLISHER until it is changed.',
  },
  grants: { label: 'Grants', description: 'Empty: the role is not narrowed.' },
  connectionData: { label: 'Connection data', description: 'Empty: none.' },
};

interface Properties {
  draft: ProviderDraft;
  onChange(draft: ProviderDraft): void;
}

/** The properties of an OpenID provider that can change. */
export function ProviderFields({ draft, onChange }: Properties) {
  const change = (part: Partial<ProviderDraft>) => onChange({ ...draft, ...part });
  return (
    <>
      <TextInput
        label="Key set"
        description="The https URL of its JSON Web Key Set."
        required
        withAsterisk={false}
        value={draft.url}
        onChange={(event) => change({ url: event.currentTarget.value })}
      />
      <TagsInput
        label="Audiences"
        description="The applications whose credentials are accepted: press Enter after each. The claim must name one of them."
        value={[...draft.audiences]}
        onChange={(audiences) => change({ audiences })}
        // An audience may contain a comma.
        splitChars={[]}
        maxTags={20}
        acceptValueOnBlur
      />
      <Checkbox.Group
        label="Algorithms"
        description="Those that it may sign with."
        value={[...draft.algorithms]}
        onChange={(chosen) => change({ algorithms: ALGORITHMS.filter((name) => chosen.includes(name)) })}
      >
        <Group gap="sm" mt={6}>
          {ALGORITHMS.map((name) => (
            <Checkbox key={name} value={name} label={name} />
          ))}
        </Group>
      </Checkbox.Group>
      <Fieldset legend="Claims: names, or JSON pointers such as /realm_access/role" p="sm">
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
          {CLAIMS.map((name) => (
            <TextInput
              key={name}
              {...CLAIM_FIELDS[name]}
              value={draft.claims[name]}
              onChange={(event) => change({ claims: { ...draft.claims, [name]: event.currentTarget.value } })}
            />
          ))}
        </SimpleGrid>
      </Fieldset>
    </>
  );
}
