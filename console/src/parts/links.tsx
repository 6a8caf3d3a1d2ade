import { PageLink } from './PageLink.tsx';

/** The id of a token, as a link; a dash for null. */
export function TokenLink({ id }: { id: string | null }) {
  return id === null ? <>—</> : <PageLink to={['tokens', id]}>{id}</PageLink>;
}

/** The id of a channel, as a link; a dash for null. */
export function ChannelLink({ id }: { id: string | null }) {
  return id === null ? <>—</> : <PageLink to={['channels', id]}>{id}</PageLink>;
}

/** An identity, as a link to its tokens; a dash for null. */
export function IdentityLink({ identity }: { identity: string | null }) {
  if (identity === null) return <>—</>;
  return (
    <PageLink to={['tokens']} params={{ identity }}>
      {identity}
    </PageLink>
  );
}
