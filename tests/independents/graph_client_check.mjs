// Unmodified Microsoft Graph client for JavaScript against the simulator: reads, delta, one password write, a batch,
// refusals, and its own patience with 429.

import { Client, GraphError } from "@microsoft/microsoft-graph-client";

const TENANT = "contoso.onmicrosoft.com";
const APP = "7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f00a1";
const APP_SECRET = "fixture-App~Secret.1";
const NEW_PASSWORD = "Mia-fixture-2";

const [base] = process.argv.slice(2);
let failed = 0;

/** Prints one observation; `what` never holds a token or a password. */
function seen(claim, ok, what) {
  console.log(`${ok ? "ok    " : "FAILED"} ${"graph-client".padEnd(16)} ${claim}: ${String(what).slice(0, 100)}`);
  failed += ok ? 0 : 1;
}

async function token() {
  const answer = await fetch(`${base}/${TENANT}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: APP,
      client_secret: APP_SECRET,
      scope: "https://graph.microsoft.com/.default",
    }),
  });
  return (await answer.json()).access_token;
}

/** The simulator's own endpoints. */
async function sim(path, body, method = "POST") {
  const headers = { "Content-Type": "application/json" };
  return fetch(`${base}/_sim/${path}`, { method, headers, body: body && JSON.stringify(body) });
}

/** The status and code that a call is refused with. */
async function refusal(call) {
  try {
    await call();
    return "accepted";
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return `${error.statusCode} ${error.code}`;
  }
}

const own = await token();
const graph = Client.init({
  baseUrl: `${base}/`,
  defaultVersion: "v1.0",
  customHosts: new Set([new URL(base).hostname]),
  authProvider: (done) => done(null, own),
});

const page = await graph.api("/users").select("id,userPrincipalName").get();
const mia = page.value.find((user) => user.userPrincipalName === `mia@${TENANT}`);
seen("lists the accounts", mia !== undefined, `${page.value.length} accounts`);
seen("only what was selected is there", Object.keys(mia).sort().join() === "id,userPrincipalName", Object.keys(mia));

const delta = await graph.api("/users/delta").select("id,lastPasswordChangeDateTime").get();
const link = delta["@odata.deltaLink"];
seen("delta ends with a delta link", link?.startsWith(base), `${delta.value.length} accounts`);

// Its own middleware waits for as long as Retry-After says, and tries again.
await sim("faults", { path_prefix: "/v1.0/users", method: "PATCH", status: 429, retry_after: 1, count: 1, when: "before" });
const passwordProfile = { password: NEW_PASSWORD, forceChangePasswordNextSignIn: false };
const written = await refusal(() => graph.api(`/users/${mia.id}`).patch({ passwordProfile }));
seen("a throttled write is tried again by the client itself", written === "accepted", written);
const matches = await (await sim(`tenants/${TENANT}/users/mia@${TENANT}/check`, { password: NEW_PASSWORD })).json();
seen("the account has the new password", matches.matches, JSON.stringify(matches));

const changed = await graph.api(link).get();
const ids = changed.value.map((user) => user.id);
seen("the delta link tells exactly the account that changed", ids.join() === mia.id, `${ids.length} changed`);

const weak = { passwordProfile: { password: "short", forceChangePasswordNextSignIn: false } };
const policy = await refusal(() => graph.api(`/users/${mia.id}`).patch(weak));
seen("a password against the policy is refused", policy === "400 Request_BadRequest", policy);
const missing = await refusal(() => graph.api(`/users/nobody@${TENANT}`).get());
seen("an account that does not exist is 404", missing === "404 Request_ResourceNotFound", missing);

const batch = await graph.api("/$batch").post({
  requests: [
    { id: "1", method: "GET", url: `/users/${mia.id}?$select=id` },
    { id: "2", method: "GET", url: `/users/nobody@${TENANT}` },
  ],
});
const statuses = Object.fromEntries(batch.responses.map((answer) => [answer.id, answer.status]));
seen("each item of a batch has its own outcome", statuses["1"] === 200 && statuses["2"] === 404, JSON.stringify(statuses));

process.exitCode = failed === 0 ? 0 : 1;
