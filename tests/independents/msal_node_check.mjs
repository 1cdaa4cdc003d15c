// Unmodified MSAL for Node.js against the simulator: tokens, and the codes of refused sign-ins.

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

import { ConfidentialClientApplication, PublicClientApplication } from "@azure/msal-node";

const TENANT = "contoso.onmicrosoft.com";
const APP = "7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f00a1";
const APP_SECRET = "fixture-App~Secret.1";
const CERTIFICATE_APP = "7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f00a3";
const PUBLIC_APP = "7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f00a2";
const GRAPH_SCOPE = ["https://graph.microsoft.com/.default"];

const [base, folder] = process.argv.slice(2);
let failed = 0;

/** Prints one observation; `what` never holds a token or a password. */
function seen(claim, ok, what) {
  console.log(`${ok ? "ok    " : "FAILED"} ${"msal-node".padEnd(16)} ${claim}: ${what.slice(0, 100)}`);
  failed += ok ? 0 : 1;
}

/** The token's answer, or the error's message. */
async function attempt(work) {
  try {
    const answer = await work();
    return { token: Boolean(answer?.accessToken), message: "a token" };
  } catch (error) {
    return { token: false, message: `${error.errorCode ?? error.name}: ${String(error.message).split("\n")[0]}` };
  }
}

function auth(clientId, tenant, more = {}) {
  return {
    auth: { clientId, authority: `${base}/${tenant}`, knownAuthorities: [new URL(base).host], ...more },
  };
}

function withSecret(clientSecret, tenant = TENANT) {
  const app = new ConfidentialClientApplication(auth(APP, tenant, { clientSecret }));
  return attempt(() => app.acquireTokenByClientCredential({ scopes: GRAPH_SCOPE }));
}

function withCertificate(name, keyOf = name) {
  const text = (file) => readFileSync(`${folder}/${file}`, "utf8");
  const certificate = new X509Certificate(text(`${name}-cert.pem`));
  const thumbprintSha256 = certificate.fingerprint256.replaceAll(":", "");
  const clientCertificate = { thumbprintSha256, privateKey: text(`${keyOf}.key`) };
  const app = new ConfidentialClientApplication(auth(CERTIFICATE_APP, TENANT, { clientCertificate }));
  return attempt(() => app.acquireTokenByClientCredential({ scopes: GRAPH_SCOPE }));
}

function withPassword(user, password) {
  const app = new PublicClientApplication(auth(PUBLIC_APP, TENANT));
  const request = { scopes: ["User.Read"], username: `${user}@${TENANT}`, password };
  return attempt(() => app.acquireTokenByUsernamePassword(request));
}

const right = await withSecret(APP_SECRET);
seen("right secret gets a token", right.token, right.message);
const wrong = await withSecret("wrong");
seen("wrong secret says 7000215", wrong.message.includes("7000215"), wrong.message);
const nowhere = await withSecret(APP_SECRET, "nobody.example");
seen("unknown tenant is refused", !nowhere.token, nowhere.message);
const certified = await withCertificate("app");
seen("certificate gets a token", certified.token, certified.message);
const stranger = await withCertificate("stranger");
seen("unregistered certificate says 700027", stranger.message.includes("700027"), stranger.message);
const swapped = await withCertificate("app", "stranger");
seen("another key than the certificate's says 700027", swapped.message.includes("700027"), swapped.message);
const anna = await withPassword("anna", "Anna-fixture-1");
seen("right password gets a token", anna.token, anna.message);
for (const [user, password, code] of [
  ["anna", "not the password", "50126"],
  ["mia", "Mia-fixture-1", "50076"],
  ["carl", "Carl-fixture-1", "53003"],
]) {
  const answer = await withPassword(user, password);
  seen(`${user} is refused with ${code}`, answer.message.includes(code), answer.message);
}

process.exitCode = failed === 0 ? 0 : 1;
