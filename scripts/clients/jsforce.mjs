// jsforce, used against the wrapper as it is used against Salesforce.
import assert from 'node:assert/strict';
import { createHmac, createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import jsforce from 'jsforce';
import { WRAPPER, createBody, expectCreated } from './call.mjs';

const { BRIDGE, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD, WORK } = process.env;
const oauth2 = { loginUrl: BRIDGE, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, redirectUri: BRIDGE };
const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');

function assertion() {
  const exp = Math.floor(Date.now() / 1000) + 180;
  const signed = `${encode({ alg: 'RS256' })}.${encode({ iss: CLIENT_ID, sub: USERNAME, aud: BRIDGE, exp })}`;
  const signature = createSign('RSA-SHA256').update(signed).sign(readFileSync(`${WORK}/connector.key`));
  return `${signed}.${signature.toString('base64url')}`;
}

async function use(name, login) {
  const connection = new jsforce.Connection({ oauth2 });
  const user = await login(connection);
  assert.equal(connection.instanceUrl, BRIDGE);
  assert.equal(user.id, CLIENT_ID);
  expectCreated(await connection.apex.post(WRAPPER, createBody(`jsforce_${name}`)));
  console.log(`jsforce: ${name}`);
  return connection;
}

await use('password', (connection) => connection.login(USERNAME, PASSWORD));
await use('client_credentials', (connection) => connection.authorize({ grant_type: 'client_credentials' }));
await use('jwt_bearer', (connection) =>
  connection.authorize({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: assertion() }));

const given = await new jsforce.OAuth2(oauth2).authenticate(USERNAME, PASSWORD);
const signature = createHmac('sha256', CLIENT_SECRET).update(given.id + given.issued_at).digest('base64');
assert.equal(given.signature, signature);
await assert.rejects(new jsforce.Connection({ oauth2 }).login(USERNAME, 'wrong'), /username or password: wrong/);
