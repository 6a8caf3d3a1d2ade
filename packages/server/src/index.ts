export { type Activity, type ActivityFilter } from './activity.ts';
export { type MessageToPublish, type PublishOutcome } from './batch.ts';
export {
  type Channel,
  type HistoryPage,
  type HistoryRange,
  type Message,
  type StateOptions,
} from './channels.ts';
export { type ConnectionFilter, type LiveConnection } from './connections.ts';
export { type DeliveryExplanation } from './delivery.ts';
export { type ErrorCode, type ErrorFields, SignalboxError } from './errors.ts';
export {
  type Action,
  type ActivityKind,
  type ApiKeyScope,
  type ChannelType,
  type CreateChannelInput,
  type CreateIssuerInput,
  type CreateTokenInput,
  type GrantInput,
  type IssuerKeyInput,
  type ProjectSettingsInput,
  type Role,
  type UpdateChannelInput,
  type UpdateIssuerInput,
  type UpdateTokenInput,
} from './generated/operations.ts';
export { type Issuer } from './issuers.ts';
export { type Member } from './members.ts';
export { type Membership, type MembershipOutcome } from './memberships.ts';
export { type PublishOptions, type Receipt, type Recipient } from './messages.ts';
export { type Restriction } from './moderation.ts';
export { type CallOptions, type SignalboxOptions } from './options.ts';
export { type ApiKey, type ApiKeyWithSecret, type NewApiKey, type Project } from './project.ts';
export { type Revocation, type RevocationTarget } from './revocations.ts';
export { type SignedGrant, type SignOptions } from './sign.ts';
export { Signalbox } from './signalbox.ts';
export { type Stats, type StatsCounts, type StoreSize } from './stats.ts';
export { type StreamOptions } from './transport/follow.ts';
export {
  type PermissionExplanation,
  type Token,
  type TokenOrIdentity,
  type TokenWithCredential,
} from './tokens.ts';
