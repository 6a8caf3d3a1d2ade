import { Group } from '@mantine/core';
import { TokenRestrictionsDocument, type TokenDetailsFragment } from '../../generated/operations.ts';
import { useOperation } from '../../api/use-operation.ts';
import { Details } from '../../parts/Details.tsx';
import { JsonView } from '../../parts/JsonView.tsx';
import { IdentityLink } from '../../parts/links.tsx';
import { Section } from '../../parts/Section.tsx';
import { Tag } from '../../parts/Tag.tsx';
import { Time } from '../../parts/Time.tsx';
import { statusOf } from './token-status.ts';

type Grants = TokenDetailsFragment['grants'];

/** The record of a token. */
export function TokenDetails({ token }: { token: TokenDetailsFragment }) {
  const [word, tone] = statusOf(token);
  const { data } = useOperation(TokenRestrictionsDocument, { token: token.id });
  const kinds = new Set(data?.restrictions.nodes.map(({ kind }) => kind));
  return (
    <Section title="Record">
      <Details
        entries={[
          [
            'Status',
            <Group gap="xs">
              <Tag tone={tone}>{word}</Tag>
              {kinds.has('MUTE') && <Tag tone="warn">muted</Tag>}
              {kinds.has('BAN') && <Tag tone="bad">banned</Tag>}
            </Group>,
          ],
          ['Identity', <IdentityLink identity={token.identity} />],
          ['Role', token.customRole === null ? token.role : `${token.customRole} (like ${token.role})`],
          ['Expires', <Time at={token.expiresAt} none="never" />],
          ['Created', <Time at={token.createdAt} />],
          ['Origin', token.origin],
          ['Issuer or API key', <span className="json-inline">{token.issuer ?? '—'}</span>],
          ['Connection data', token.connectionData ?? '—'],
          ['Grants', describeGrants(token.grants, 'none: the role is not narrowed')],
          ['Grants of the last credential', describeGrants(token.claimedGrants, 'none')],
          ...(token.revokedAt === null ? [] : [['Revoked', <Time at={token.revokedAt} />] as const]),
        ]}
      />
      {token.state !== null && <JsonView label="State of the token" value={token.state} />}
    </Section>
  );
}

function describeGrants(grants: Grants, none: string): string {
  if (grants === null) return none;
  if (grants.length === 0) return 'empty: nothing is allowed';
  return grants
    .map(({ channels, actions, expiresAt }) => {
      const end = expiresAt === null ? '' : ` until ${expiresAt}`;
      return `${channels}: ${actions.join(', ')}${end}`;
    })
    .join('; ');
}
