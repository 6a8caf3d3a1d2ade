import { type Sender } from '../broker/message.ts';
import { type Caller } from '../tokens/caller.ts';

/** The sender of the messages that this caller publishes. */
export function senderOf(caller: Caller): Sender {
  if (caller.kind !== 'TOKEN')
    return { kind: 'API_KEY', tokenId: null, identity: null, connectionData: null };
  const { id, identity, connectionData } = caller.token;
  return { kind: 'TOKEN', tokenId: id, identity, connectionData };
}

/** Stands for all API keys of a project, because a message does not name the key that published it. No token has this id. */
const BACKEND = 'API_KEY';

/** Names the publisher of a message. Senders of the same token have the same name, and so have all API keys of a project. */
export const senderKey = ({ tokenId }: Sender): string => tokenId ?? BACKEND;

/** The `senderKey` of the messages that this caller publishes. Undefined for an anonymous caller, who publishes none. */
export function senderKeyOfCaller(caller: Caller): string | undefined {
  switch (caller.kind) {
    case 'TOKEN':
      return caller.token.id;
    case 'API_KEY':
      return BACKEND;
    case 'ANONYMOUS':
      return undefined;
  }
}

/** Whether the caller is the publisher of a message with this sender. */
export const isSentBy = (sender: Sender, caller: Caller): boolean =>
  senderKeyOfCaller(caller) === senderKey(sender);
