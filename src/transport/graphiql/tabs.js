/** What a new tab starts with, and one whose headers were not kept over a reload. */
export const defaultHeaders = toHeaders('key_…');

/** The main job, tab by tab. Lines are short, so that they fit the pane of a small window. */
export const defaultTabs = [
  {
    bearer: 'key_…',
    query: `
      # 1. Make a channel
      #
      # Under Headers, below, put your API key in place
      # of key_… : the service prints it at first start.
      # Then press play.
      #
      # Tabs that still say key_… use the key that you
      # used last in this window.
      # CONFLICT: it exists already; go on with tab 2.

      mutation MakeChannel {
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
      # 2. Make a token for a user
      #
      # It hears the lobby from the start. The user's
      # client connects with the credential.
      #
      # Tabs that still say credential_… or token_… use
      # what was made last in this window.

      mutation MakeToken {
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
      # 3. Listen as that user
      #
      # After tab 2 in this window there is nothing to
      # fill in; otherwise put a credential after Bearer.
      # Press play: it listens until you leave this tab,
      # so go on with tab 4 in a second window.
      #
      # To hear what was said before, put a cursor under
      # Variables: { "since": "the cursor of tab 2" }

      subscription Listen($since: Cursor) {
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
      # 4. Say something in the channel
      #
      # In a second window, while tab 3 listens in the
      # first; put your API key under Headers here too.

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
      # 5. Say something to one token; is it online?
      #
      # Under Variables, put the token's id of tab 2 in
      # place of token_… ; play asks which of both to do.

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
      # 6. Take the channel from the token, give it back
      #
      # Under Variables, put the token's id of tab 2 in
      # place of token_… ; tab 3 is told at once.

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
      # 7. See who is in the channel

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
