import { CLOSE_CODES } from '../../../src/transport/close-codes.ts';
import { documentOf, PRINTED, table } from './markdown.ts';

export function printCloseCodes(): string {
  const rows = Object.values(CLOSE_CODES)
    .toSorted((a, b) => a.code - b.code)
    .map(({ code, reconnects, meaning }) => [String(code), reconnects ? 'reconnects' : 'gives up', meaning]);
  return documentOf(
    PRINTED,
    '# Close codes',
    'The second column is the behaviour of an unpatched [graphql-ws](https://github.com/enisdenjo/graphql-ws) client with retries enabled. A client that reconnects resumes after its last cursor: see [reconnect and gaps](../guides/reconnect-and-gaps.md).',
    table(['code', 'a graphql-ws client', 'meaning'], rows),
    'The close reason is a sentence: the message that the same refusal has over HTTP, cut to 123 bytes of UTF-8. Compare the code, not the sentence. The WebSocket library closes with 1002 or 1007 (RFC 6455) when a frame is invalid.',
    'After a revocation, a client that has no other credential keeps reconnecting and is refused each time. When your backend has no credential for the user, throw an error in `connectionParams` for which `shouldRetry` answers false. Throw no other error there: graphql-ws may then reconnect without its subscriptions.',
    'A handshake that is refused before the upgrade is answered in HTTP: 400 (a credential in the URL, or another sub-protocol than `graphql-transport-ws`), 403 (the origin is not allowed), 404 (another path than `/graphql`), 421 (a host name that is not in `SIGNALBOX_HOSTS`), 429 (too many connects per second) or 503 (too many connections).',
  );
}
