import { Group, Text, Title } from '@mantine/core';
import { RemoveIssuerDocument, type IssuerDetailsFragment } from '../../generated/operations.ts';
import { ActionButton } from '../../parts/ActionButton.tsx';
import { Details } from '../../parts/Details.tsx';
import { Time } from '../../parts/Time.tsx';
import { AddIssuerKey } from './AddIssuerKey.tsx';
import { EditIssuer } from './EditIssuer.tsx';
import { CLAIMS } from './provider-draft.ts';
import { RemoveIssuerKey } from './RemoveIssuerKey.tsx';

/** One issuer with its keys. */
export function IssuerCard({ issuer }: { issuer: IssuerDetailsFragment }) {
  const { id, name, kind, provider, account, service, keys } = issuer;
  const entries = [
    ['Id', <span className="json-inline">{id}</span>] as const,
    ['Kind', kind] as const,
    ['Created', <Time at={issuer.createdAt} />] as const,
    ...(account === null ? [] : [['Account', account] as const]),
    ...(service === null ? [] : [['Service', service] as const]),
    ...(provider === null
      ? []
      : ([
          ['Issuer', provider.issuer],
          ['Keys at', provider.url],
          ['Audiences', provider.audiences.join(', ')],
          ['Algorithms', provider.algorithms.join(', ')],
          ['Claims', describeClaims(provider.claims)],
        ] as const)),
  ];
  return (
    <div className="card">
      <Group justify="space-between" mb="xs">
        <Title order={3} size="h5" className="page-title">
          {name}
        </Title>
        <Group gap="xs">
          <EditIssuer issuer={issuer} />
          {kind !== 'JWKS' && <AddIssuerKey issuer={issuer} />}
          <ActionButton
            label="Remove"
            accessibleName={`Remove ${name}`}
            size="compact-sm"
            scope="ADMIN"
            operation={RemoveIssuerDocument}
            variables={{ issuer: id }}
            submit="Remove the issuer"
            isDangerous
          >
            <Text size="sm">
              Its credentials are refused from now on, and the connections that used them close.
            </Text>
          </ActionButton>
        </Group>
      </Group>
      <Details entries={entries} />
      {keys.map((key) => (
        <Group key={key.id} gap="xs" mt="xs">
          <Text size="sm">
            Key <span className="json-inline">{key.id}</span>, expires{' '}
            <Time at={key.expiresAt} none="never" />
          </Text>
          <RemoveIssuerKey issuer={id} id={key.id} />
        </Group>
      ))}
    </div>
  );
}

type Claims = NonNullable<IssuerDetailsFragment['provider']>['claims'];

/** The claims that are read, as “identity: sub, audience: aud”. */
const describeClaims = (claims: Claims) =>
  CLAIMS.filter((name) => claims[name] !== null)
    .map((name) => `${name}: ${claims[name]}`)
    .join(', ');
