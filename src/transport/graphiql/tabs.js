/** The headers of a new tab, and of a tab whose headers were not stored before a reload. */
export const defaultHeaders = toHeaders('key_…');

/** A tour of the main features, tab by tab. Lines have at most 55 characters, to fit the pane of a small window. */
export const defaultTabs = [
  {
    bearer: 'key_…',
    query: `
      # 1. Create a channel
      #
      # In the Headers pane below, replace key_… with
      # your API key. The service prints the key when it
      # starts for the first time. Then press play.
      #
      # Tabs that still contain key_… use the key that
      # you used last in this window.
      # CONFLICT means that the channel already exists:
      # continue with tab 2.

      mutation CreateChannel {
        createChannel(
          input: { id: "lobby", type: PRIVATE }
        ) {
          id
          type
          createdAt
        }
      }
    `,
  },
  {
    bearer: 'key_…',
    query: `
      # 2. Create a token for a user
      #
      # The token is subscribed to the lobby. The client
      # of the user connects with the credential.
      #
      # Tabs that still contain credential_… or token_…
      # use the values created last in this window.

      mutation CreateToken {
        createToken(
          input: {
            identity: "ada"
            channels: ["lobby"]
            expiresIn: 86400
          }
        ) {
          token {
            id
          }
          credential
          cursor
        }
      }
    `,
  },
  {
    bearer: 'credential_…',
    variables: {},
    query: `
      # 3. Receive events as that user
      #
      # After tab 2 in this window, just press play.
      # Otherwise put a credential after Bearer first.
      # The subscription runs until you leave this tab,
      # so continue with tab 4 in a second window.
      #
      # To receive earlier messages too, put a cursor
      # under Variables: { "since": "<cursor of tab 2>" }

      subscription Events($since: Cursor) {
        events(since: $since) {
          __typename
          at
          ... on Connected {
            cursor
            channels {
              id
              state
            }
          }
          ... on ChannelMessage {
            message {
              cursor
              channel
              event
              data
            }
          }
          ... on DirectMessage {
            message {
              cursor
              event
              data
            }
          }
          ... on ChannelAvailable {
            channel {
              id
            }
          }
          ... on ChannelUnavailable {
            channel {
              id
            }
            reason
          }
          ... on TokenExpiring {
            expiresAt
          }
          ... on Gap {
            reason
          }
        }
      }
    `,
  },
  {
    bearer: 'key_…',
    query: `
      # 4. Publish a message to the channel
      #
      # Use a second window while tab 3 runs in the
      # first. Put your API key under Headers here too.

      mutation Publish {
        publishMessage(
          channel: "lobby"
          event: "greeting"
          data: { text: "hello" }
        ) {
          connections
          message {
            cursor
          }
        }
      }
    `,
  },
  {
    bearer: 'key_…',
    variables: { token: 'token_…' },
    query: `
      # 5. Publish to one token, and see if it is online
      #
      # Under Variables, replace token_… with the token
      # id of tab 2. Press play and choose an operation.

      mutation PublishDirect($token: ID!) {
        publishDirectMessage(
          token: $token
          event: "hint"
          data: { text: "only for you" }
        ) {
          connections
          message {
            cursor
          }
        }
      }

      query IsOnline($token: ID!) {
        isOnline(token: $token)
      }
    `,
  },
  {
    bearer: 'key_…',
    variables: { token: 'token_…' },
    query: `
      # 6. Unsubscribe the token, and subscribe it again
      #
      # Under Variables, replace token_… with the token
      # id of tab 2. Tab 3 shows each change at once.

      mutation Unsubscribe($token: ID!) {
        unsubscribeToken(channel: "lobby", token: $token) {
          createdAt
        }
      }

      mutation Subscribe($token: ID!) {
        subscribeToken(channel: "lobby", token: $token) {
          createdAt
        }
      }
    `,
  },
  {
    bearer: 'key_…',
    query: `
      # 7. List the members that are online

      query Presence {
        channel(id: "lobby") {
          presence {
            count
            members {
              nodes {
                identity
              }
            }
          }
        }
      }
    `,
  },
].map(toTab);

function toTab({ bearer, variables, query }) {
  return {
    headers: toHeaders(bearer),
    variables: variables && JSON.stringify(variables, null, 2),
    query: dedent(query),
  };
}

function toHeaders(bearer) {
  return JSON.stringify({ Authorization: `Bearer ${bearer}` }, null, 2);
}

function dedent(text) {
  const [indent] = /^\n *(?=\S)/.exec(text);
  return `${text.replaceAll(indent, '\n').trim()}\n`;
}
