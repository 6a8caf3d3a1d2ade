import { TWILIO } from '../support/external-credentials.ts';
import { HEADER, sdkContract, startWithAllVendors, vectors } from '../support/sdk-vectors.ts';

const service = startWithAllVendors();

const CTY = 'twilio-fpa;v=1';
const twilioClaims = (now: number) => ({
  jti: `${TWILIO.key.id}-${now}`,
  iss: TWILIO.key.id,
  sub: TWILIO.account,
  exp: now + 3600,
  grants: { identity: 'ada', data_sync: { service_sid: TWILIO.service } },
});
const withNbf = (now: number) => ({ ...twilioClaims(now), nbf: now });
const TWILIO_VECTORS = vectors(
  [
    // twilio/twilio-node: src/jwt/AccessToken.ts
    ['Node', { cty: CTY, ...HEADER }, (now) => ({ ...twilioClaims(now), iat: now })],
    // twilio/twilio-php: src/Twilio/Jwt/AccessToken.php
    ['PHP', { cty: CTY, ...HEADER }, twilioClaims],
    // twilio/twilio-python: twilio/jwt/access_token/__init__.py, twilio/jwt/__init__.py; twr: the region
    ['Python', { ...HEADER, cty: CTY, twr: 'us1' }, withNbf],
    // twilio/twilio-ruby: lib/twilio-ruby/jwt/access_token.rb, jwt.rb
    ['Ruby', { cty: CTY, ...HEADER }, withNbf],
    // twilio/twilio-go: client/jwt/access_token.go
    ['Go', { cty: CTY, ...HEADER, twr: '' }, withNbf],
    // twilio/twilio-java: src/main/java/com/twilio/jwt/accesstoken/AccessToken.java, Jwt.java
    ['Java', { typ: 'JWT', cty: CTY, alg: 'HS256' }, twilioClaims],
    // twilio/twilio-csharp: src/Twilio/JWT/AccessToken/Token.cs, BaseJwt.cs
    ['.NET', { ...HEADER, cty: CTY }, twilioClaims],
  ],
  TWILIO.key.secret,
);

sdkContract(service, [{ vendor: 'Twilio', vectors: TWILIO_VECTORS, is: { identity: 'ada' } }]);
