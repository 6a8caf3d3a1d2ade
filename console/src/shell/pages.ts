import { type ComponentType } from 'react';
import { type ApiKeyScope } from '../generated/operations.ts';
import { ActivityPage } from '../pages/activity/ActivityPage.tsx';
import { ChannelPage } from '../pages/channels/ChannelPage.tsx';
import { ChannelsPage } from '../pages/channels/ChannelsPage.tsx';
import { ConnectionsPage } from '../pages/connections/ConnectionsPage.tsx';
import { ExplainPage } from '../pages/explain/ExplainPage.tsx';
import { KeysPage } from '../pages/keys/KeysPage.tsx';
import { MessagesPage } from '../pages/messages/MessagesPage.tsx';
import { ModerationPage } from '../pages/moderation/ModerationPage.tsx';
import { OverviewPage } from '../pages/overview/OverviewPage.tsx';
import { ProjectPage } from '../pages/project/ProjectPage.tsx';
import { TokenPage } from '../pages/tokens/TokenPage.tsx';
import { TokensPage } from '../pages/tokens/TokensPage.tsx';

/** A page of the console. */
export interface PageEntry {
  /** The first part of its address. */
  readonly path: string;
  readonly title: string;
  /** The API key needs one of these scopes. */
  readonly scopes: readonly ApiKeyScope[];
  /** Whether it concerns more than single channels, so that an API key that is limited to channels cannot use it. */
  readonly isProjectWide: boolean;
  readonly Page: ComponentType;
  /** The page of one object: `tokens/token_1`. */
  readonly Details?: ComponentType<{ id: string }>;
}

/** All pages in the order of the navigation. */
export const PAGES: readonly PageEntry[] = [
  { path: 'overview', title: 'Overview', scopes: ['READ'], isProjectWide: true, Page: OverviewPage },
  {
    ...{ path: 'tokens', title: 'Tokens', scopes: ['READ'], isProjectWide: true },
    ...{ Page: TokensPage, Details: TokenPage },
  },
  {
    ...{ path: 'channels', title: 'Channels', scopes: ['READ'], isProjectWide: false },
    ...{ Page: ChannelsPage, Details: ChannelPage },
  },
  {
    path: 'connections',
    title: 'Connections',
    scopes: ['READ'],
    isProjectWide: false,
    Page: ConnectionsPage,
  },
  { path: 'messages', title: 'Messages', scopes: ['PUBLISH'], isProjectWide: false, Page: MessagesPage },
  { path: 'moderation', title: 'Moderation', scopes: ['READ'], isProjectWide: false, Page: ModerationPage },
  { path: 'explain', title: 'Explain', scopes: ['READ'], isProjectWide: true, Page: ExplainPage },
  { path: 'activity', title: 'Activity', scopes: ['READ'], isProjectWide: true, Page: ActivityPage },
  { path: 'keys', title: 'Issuers & keys', scopes: ['READ', 'KEYS'], isProjectWide: true, Page: KeysPage },
  { path: 'project', title: 'Project', scopes: ['READ'], isProjectWide: true, Page: ProjectPage },
];
