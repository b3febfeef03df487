// Published OAuth 2.0 clients: simple-oauth2 and openid-client.
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as openid from 'openid-client';
import simple from 'simple-oauth2';
import { call } from './call.mjs';

const { BRIDGE, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD, WORK } = process.env;
const client = { id: CLIENT_ID, secret: CLIENT_SECRET };
const auth = { tokenHost: BRIDGE, tokenPath: '/oauth2/token' };
let made = 0;

for (const authorizationMethod of ['header', 'body']) {
  for (const bodyFormat of ['form', 'json']) {
    for (const credentialsEncodingMode of ['strict', 'loose']) {
      const options = { authorizationMethod, bodyFormat, credentialsEncodingMode };
      const credentials = new simple.ClientCredentials({ client, auth, options });
      const password = new simple.ResourceOwnerPassword({ client, auth, options });
      for (const { token, expired } of [
        await credentials.getToken({ scope: 'api' }),
        await password.getToken({ username: USERNAME, password: PASSWORD, scope: 'api' }),
      ].map((given) => ({ token: given.token, expired: given.expired() }))) {
        assert.equal(token.token_type, 'Bearer');
        assert.equal(expired, false);
        await call(token.access_token, `simple_${(made += 1)}`);
      }
      console.log(`simple-oauth2: ${authorizationMethod}, ${bodyFormat}, ${credentialsEncodingMode}`);
    }
  }
}
await assert.rejects(
  new simple.ClientCredentials({ client: { ...client, secret: 'wrong' }, auth }).getToken({}),
  (error) => error.output.statusCode === 401 && error.data.payload.error === 'invalid_client',
);

const key = await crypto.subtle.importKey(
  'pkcs8',
  createPrivateKey(readFileSync(`${WORK}/connector.key`)).export({ type: 'pkcs8', format: 'der' }),
  { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  false,
  ['sign'],
);
const server = { issuer: BRIDGE, token_endpoint: `${BRIDGE}/services/oauth2/token` };
for (const [name, method] of [
  ['client_secret_basic', openid.ClientSecretBasic(CLIENT_SECRET)],
  ['client_secret_post', openid.ClientSecretPost(CLIENT_SECRET)],
  ['private_key_jwt', openid.PrivateKeyJwt(key)],
]) {
  const configuration = new openid.Configuration(server, CLIENT_ID, {}, method);
  const given = await openid.clientCredentialsGrant(configuration, { scope: 'api' });
  assert.equal(given.expiresIn(), 3600);
  await call(given.access_token, `openid_${name}`);
  console.log(`openid-client: ${name}`);
}
const wrong = new openid.Configuration(server, CLIENT_ID, {}, openid.ClientSecretBasic('wrong'));
await assert.rejects(openid.clientCredentialsGrant(wrong), (error) => error.code === 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' || error.error === 'invalid_client');
