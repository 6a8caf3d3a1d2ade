// Without white space that GraphQL does not need: every page loads these texts.

/** The fields of `Message` that the client reads. */
const MESSAGE =
  'id cursor ordinal idempotencyKey channel event data publishedAt sender{kind token identity connectionData}';
const CHANNEL = 'id type state version';
const MEMBER = 'id token identity connectionData state connectedAt';
const PRESENCE = `change channel member{${MEMBER}}`;

/** Every operation of the client. A test validates each against the schema of the service. */
export const DOCUMENTS = {
  events:
    'subscription($since:Cursor){events(since:$since presence:true){__typename' +
    `...on Connected{at connection{id}token{id identity}cursor channels{${CHANNEL}}}` +
    `...on ChannelAvailable{channel{${CHANNEL}}}` +
    `...on ChannelUnavailable{channel{${CHANNEL}}reason}` +
    `...on ChannelMessage{message{${MESSAGE}}}` +
    `...on DirectMessage{message{${MESSAGE}}}` +
    `...on ChannelStateUpdated{channel{${CHANNEL}}}` +
    '...on TokenExpiring{at expiresAt}' +
    '...on Gap{reason directMessages channels{id}}' +
    `...on PresenceChanged{presence{${PRESENCE}}}}}`,
  messages: `subscription($channel:ID!$since:Cursor){messages(channel:$channel since:$since){${MESSAGE}}}`,
  presence: `subscription($channel:ID!){presence(channel:$channel){${PRESENCE}}}`,
  channelState: `subscription($channel:ID!){channelState(channel:$channel){${CHANNEL}}}`,
  page:
    'query($channel:ID!$last:Int$before:Cursor$first:Int$after:Cursor){channel(id:$channel){' +
    'messages(last:$last before:$before first:$first after:$after){' +
    `nodes{${MESSAGE}}pageInfo{startCursor endCursor hasPreviousPage hasNextPage}}}}`,
  members:
    'query($channel:ID!$after:String){channel(id:$channel){presence{members(first:100 after:$after){' +
    `nodes{${MEMBER}}pageInfo{endCursor hasNextPage}}}}}`,
  publish:
    'mutation($channel:ID!$event:String!$data:JSON$ephemeral:Boolean$idempotencyKey:String){publishMessage(' +
    'channel:$channel event:$event data:$data ephemeral:$ephemeral idempotencyKey:$idempotencyKey' +
    `){message{${MESSAGE}}}}`,
  setPresence: 'mutation($state:JSON){setPresence(state:$state){id}}',
} as const;
