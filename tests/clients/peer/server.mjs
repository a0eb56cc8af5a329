// Another OpenID provider (npm's oidc-provider), to show that the applications in clients/ know nothing of ours.
// Usage: node server.mjs PORT CLIENTS, where CLIENTS is a JSON list of { id, secret, base }.
import { generateKeyPairSync } from 'node:crypto';

import { Provider } from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://localhost:${port}`;

const clients = JSON.parse(process.argv[3]).map(({ id, secret, base }) => ({
  client_id: id,
  client_secret: secret,
  redirect_uris: [`${base}/callback`],
  post_logout_redirect_uris: [`${base}/logged-out`],
  backchannel_logout_uri: `${base}/backchannel-logout`,
  backchannel_logout_session_required: true,
}));

const signingKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const provider = new Provider(issuer, {
  clients,
  jwks: { keys: [{ ...signingKey, use: 'sig', alg: 'RS256', kid: 'peer-1' }] },
  cookies: { keys: ['a key for a test only'] },
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'] },
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: true },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  // It refuses to call loopback addresses, where the applications under test are.
  fetch: (url, options) => globalThis.fetch(url, { ...options, dispatcher: undefined }),
  // Whatever is typed into the development log-in form is the account.
  findAccount: (context, login) => ({
    accountId: login,
    claims: () => ({
      sub: login,
      name: login.split('.').map((part) => part[0].toUpperCase() + part.slice(1)).join(' '),
      preferred_username: login,
      email: `${login}@example.org`,
    }),
  }),
});

provider.on('backchannel.error', (context, error) => console.error(error));
provider.on('server_error', (context, error) => console.error(error));
provider.listen(port, '127.0.0.1', () => console.log('listening'));
