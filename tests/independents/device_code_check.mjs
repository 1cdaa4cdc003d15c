// Unmodified MSAL for Node.js signs a person in by device code, and goes on by refresh token.

import { PublicClientApplication } from "@azure/msal-node";

const TENANT = "contoso.onmicrosoft.com";
const PUBLIC_APP = "7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f00a2";
const RITA = `rita@${TENANT}`;
const scopes = ["https://graph.microsoft.com/.default"];

const [base] = process.argv.slice(2);
let failed = 0;

/** Prints one observation; `what` never holds a token or a password. */
function seen(claim, ok, what) {
  console.log(`${ok ? "ok    " : "FAILED"} ${"msal-node".padEnd(16)} ${claim}: ${String(what).slice(0, 100)}`);
  failed += ok ? 0 : 1;
}

async function control(path, body = {}) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${base}/_sim/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
}

/** The error's code and first line. */
function words(error) {
  return `${error.errorCode ?? error.name}: ${String(error.message).split("\n")[0]}`;
}

const authority = `${base}/${TENANT}`;
const app = new PublicClientApplication({
  auth: { clientId: PUBLIC_APP, authority, knownAuthorities: [new URL(base).host] },
});

/** Signs in; the person answers as soon as the code is shown. */
function signIn(answer) {
  let answered = Promise.resolve();
  const deviceCodeCallback = ({ userCode }) => {
    answered = answer(userCode);
  };
  return app.acquireTokenByDeviceCode({ scopes, deviceCodeCallback }).finally(() => answered);
}

const approves = (code) => control(`device-codes/${code}/approve`, { user: RITA });
const declines = (code) => control(`device-codes/${code}/decline`);

const first = await signIn(approves).catch((error) => ({ why: words(error) }));
seen("a device code gets a token", Boolean(first.accessToken), first.why ?? "a token");
seen("the account is the person's", first.account?.username === RITA, first.account?.username);
const silently = () => app.acquireTokenSilent({ scopes, account: first.account, forceRefresh: true });
const second = await silently().catch((error) => ({ why: words(error) }));
const isNew = Boolean(second.accessToken) && second.accessToken !== first.accessToken;
seen("a silent refresh gets another one", isNew, second.why ?? "a token");
const no = await signIn(declines).catch(words);
seen("who declines is told", String(no).includes("authorization_declined"), no);
await control(`tenants/${TENANT}/users/${RITA}/revoke-sign-ins`);
const ended = await silently().catch(words);
seen("sign-ins that are revoked are 50173", String(ended).includes("50173"), ended);

process.exitCode = failed === 0 ? 0 : 1;
