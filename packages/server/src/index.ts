export {
  type Channel,
  type HistoryPage,
  type HistoryRange,
  type Message,
  type StateOptions,
} from './channels.ts';
export { type ErrorCode, type ErrorFields, SignalboxError } from './errors.ts';
export {
  type Action,
  type ChannelType,
  type CreateChannelInput,
  type CreateTokenInput,
  type GrantInput,
  type Role,
  type UpdateChannelInput,
  type UpdateTokenInput,
} from './generated/operations.ts';
export { type Membership, type MembershipOutcome } from './memberships.ts';
export { type PublishOptions, type Receipt, type Recipient } from './messages.ts';
export { type Restriction } from './moderation.ts';
export { type CallOptions, type SignalboxOptions } from './options.ts';
export { type Revocation, type RevocationTarget } from './revocations.ts';
export { type SignedGrant, type SignOptions } from './sign.ts';
export { Signalbox } from './signalbox.ts';
export { type Token, type TokenOrIdentity, type TokenWithCredential } from './tokens.ts';
