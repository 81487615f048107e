// A real OpenID provider for the tests, on a port of this machine: any login name is a person, who has the address of
// that name; names that start with "unverified" have one that nobody verified. POST /test/keys makes it sign with a new
// key, the way a provider does when it rotates.
import { createServer } from "node:http";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import Provider from "oidc-provider";

const { clientId, clientSecret, redirectUri } = JSON.parse(process.argv[2]);
let answer;

const server = createServer((request, response) => {
  if (request.url === "/test/keys") {
    answer = provider().callback();
    response.writeHead(204).end();
  } else {
    answer(request, response);
  }
});

function provider() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return new Provider(`http://127.0.0.1:${server.address().port}`, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" }] },
    cookies: { keys: ["only-in-tests"] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: id, email_verified: !id.startsWith("unverified"), name: "A Person" }),
    }),
  });
}

server.listen(0, "127.0.0.1", () => {
  answer = provider().callback();
  console.log(JSON.stringify({ port: server.address().port }));
});
