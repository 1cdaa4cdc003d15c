// Drives the dashboard in Chromium as a person would, and measures what the agent makes of it.
//
// Environment: DASHBOARD and SIMULATOR (addresses), EMAIL, PASSWORD_FILE, KEY_FILE, ANNA_FILE, ANNA_NEXT_FILE, MIA_FILE,
// NORA_FILE, FOREIGN_FILE, RITA_FILE (files with one secret each), STAFF (names of accounts that change all at once), SECRETS (a
// folder with files NAME and NAME-next for each), SCREENSHOTS and PAGES (folders to fill).

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const {
  DASHBOARD, SIMULATOR, EMAIL, PASSWORD_FILE, KEY_FILE, ANNA_FILE, ANNA_NEXT_FILE, MIA_FILE, NORA_FILE, FOREIGN_FILE,
  RITA_FILE, SECRETS, SCREENSHOTS, PAGES,
} = process.env;
const TENANT = "contoso.onmicrosoft.com";
const CLIENT = "Contoso";
// The machine may be busy: what takes its time is waited for, and how long it took is printed.
const PATIENCE_MS = 60_000;

const secret = (file) => readFileSync(file, "utf8").replace(/\n$/, "");
const anna = secret(ANNA_FILE);
const annaNext = secret(ANNA_NEXT_FILE);
const mia = secret(MIA_FILE);
const foreign = secret(FOREIGN_FILE);
const staff = process.env.STAFF.split(" ");
const staffNext = Object.fromEntries(staff.map((name) => [name, secret(join(SECRETS, `${name}-next`))]));
const hidden = [...Object.values(staffNext), anna, annaNext, mia, foreign, secret(NORA_FILE), secret(RITA_FILE)];

let documents = 0;
let mayShow = null;

function check(claim, ok, what = "") {
  console.log(`${ok ? "ok    " : "FAILED"} ${claim}${what === "" ? "" : `: ${what}`}`);
  if (!ok) {
    throw new Error(claim);
  }
}

async function sim(method, path, body) {
  const answer = await fetch(`${SIMULATOR}/_sim/${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) {
    throw new Error(`the simulator answered ${answer.status} to ${path}`);
  }
  const text = await answer.text();
  return text === "" ? null : JSON.parse(text);
}

const account = (name) => `tenants/${TENANT}/users/${name}@${TENANT}`;
const hasPassword = async (name, password) => (await sim("POST", `${account(name)}/check`, { password })).matches;
const setForeign = (name, password) => sim("POST", `${account(name)}/password`, { password });
const writes = async () => (await sim("GET", "counters")).writes;
const writesOf = async (name) => (await sim("GET", account(name))).counters.writes;

/** Polls until `done`, and says how long after `began` that was. */
async function until(claim, began, pause, done) {
  const end = performance.now() + PATIENCE_MS;
  while (!(await done())) {
    if (performance.now() > end) {
      check(claim, false, `not within ${PATIENCE_MS} ms`);
    }
    await new Promise((resume) => setTimeout(resume, pause));
  }
  check(claim, true, `${Math.round(performance.now() - began)} ms`);
}

/** No answer of the server may hold a password, but the one that a click asked for. */
async function watch(response) {
  const type = response.headers()["content-type"] ?? "";
  if (!/html|json|javascript|css/.test(type) || response.status() >= 300) {
    return;
  }
  const text = await response.text().catch(() => "");
  const shown = hidden.filter((password) => text.includes(password));
  const allowed = shown.every((password) => password === mayShow) && response.url().endsWith("/reveal");
  if (shown.length > 0 && !allowed) {
    leaks.push(response.url());
  }
  if (type.includes("html") && shown.length === 0) {
    documents += 1;
    writeFileSync(join(PAGES, `${String(documents).padStart(3, "0")}.html`), text);
  }
}
const leaks = [];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
  ],
});
// The agent and the command line check the certificate; Chromium would need it in a store of its own.
const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1200, height: 900 } });
context.setDefaultTimeout(PATIENCE_MS);
const page = await context.newPage();
page.on("response", watch);
const shoot = (name) => page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });

try {
  await tour();
} finally {
  await browser.close();
}

async function tour() {
  await signIn();
  const addresses = await visit();
  await theDashboardChangesReachEntra(addresses);
  await foreignChangesAreFlagged(addresses);
  await revealingNeedsAClick(addresses);
  await nothingWasWrittenThatShouldNot();
  await aMassChangeWaitsForAPerson(addresses);
}

async function signIn() {
  await page.goto(DASHBOARD);
  check("without a session the login page is shown", page.url().endsWith("/login"));
  await fillLogin("not the organization key");
  check("a wrong organization key is refused", await page.locator("[role=alert]").isVisible());
  await shoot("login-refused");
  await fillLogin(secret(KEY_FILE));
  check("the right one opens the dashboard", await page.locator("#count-ad_change").isVisible());
  await shoot("dashboard");
}

async function fillLogin(key) {
  await page.fill("[name=email]", EMAIL);
  await page.fill("[name=password]", secret(PASSWORD_FILE));
  await page.fill("[name=organization_key]", key);
  await page.click("button[type=submit]");
  await page.waitForLoadState();
}

/** Visits every page once; returns the addresses of the client and its credentials. */
async function visit() {
  await page.goto(`${DASHBOARD}/clients`);
  await shoot("clients");
  await page.locator("th a", { hasText: CLIENT }).first().click();
  await page.waitForLoadState();
  const addresses = { client: page.url() };
  await shoot("client");
  for (const name of ["anna", "mia", "nora", "rita", ...staff]) {
    const link = page.locator("#credentials a", { hasText: `${name}@${TENANT}` });
    addresses[name] = new URL(await link.getAttribute("href"), DASHBOARD).href;
  }
  await page.goto(addresses.anna);
  await shoot("credential");
  await page.goto(`${DASHBOARD}/flags`);
  await shoot("flags");
  return addresses;
}

async function changePassword(address, password) {
  await page.goto(address);
  await page.fill("#change-password [name=password]", password);
  const began = performance.now();
  await page.click("#change-password button[type=submit]");
  return began;
}

async function theDashboardChangesReachEntra(addresses) {
  check("the same password on both sides was not written", (await writes()) === 0);
  const began = await changePassword(addresses.anna, annaNext);
  await until("a change at the dashboard reaches Entra ID", began, 20, () => hasPassword("anna", annaNext));
  await until("the push is in the credential's history", began, 200, async () => {
    await page.goto(addresses.anna);
    return (await page.locator("#history .result-pushed").count()) > 0;
  });
  await shoot("credential-pushed");
}

/** Whether the flag stands on the credential, on its client, and is counted at the dashboard. */
async function flagged(addresses, name) {
  await page.goto(addresses[name]);
  const credential = await page.locator(".flag-list .flag-ad_change").count();
  await page.goto(addresses.client);
  const row = page.locator("#credentials tr", { hasText: `${name}@` });
  const client = await row.locator(".flag-ad_change").count();
  await page.goto(DASHBOARD);
  const dashboard = Number(await page.locator("#count-ad_change").textContent());
  const rolled = page.locator("tr", { hasText: CLIENT }).locator(".flag-ad_change").first();
  const count = (await rolled.count()) === 0 ? 0 : Number(await rolled.locator("b").textContent());
  return { credential, client, dashboard, count };
}

async function foreignChangesAreFlagged(addresses) {
  const ritaOnly = { credential: 0, client: 0, dashboard: 1, count: 1 };
  const both = { credential: 1, client: 1, dashboard: 2, count: 2 };
  const is = (name, wanted) => async () => JSON.stringify(await flagged(addresses, name)) === JSON.stringify(wanted);
  await until("only the account that differs is flagged at first", performance.now(), 200, is("mia", ritaOnly));

  const change = "a foreign change is flagged on credential, client and dashboard";
  await expect(change, () => setForeign("mia", foreign), is("mia", both));
  await page.goto(addresses.mia);
  await shoot("credential-flagged");
  await page.goto(DASHBOARD);
  await shoot("dashboard-flagged");
  await expect("the flag clears by itself when it is changed back", () => setForeign("mia", mia), is("mia", ritaOnly));

  // Another account: two failed sign-in tests a day are the budget of each.
  await expect(`${change} once more`, () => setForeign("nora", foreign), is("nora", both));
  const typed = await changePassword(addresses.nora, foreign);
  await until("the flag clears by itself when the password is typed into the vault", typed, 100, is("nora", ritaOnly));
}

async function expect(claim, change, seen) {
  await change();
  await until(claim, performance.now(), 100, seen);
}

async function revealingNeedsAClick(addresses) {
  await page.goto(addresses.anna);
  check("no password is on the page before the click", !hidden.some(await includedIn(page)));
  mayShow = annaNext;
  await page.click("#reveal");
  await page.waitForFunction(() => document.getElementById("revealed").textContent !== "");
  check("the click shows the password exactly", (await page.locator("#revealed").textContent()) === annaNext);
  await page.click("#reveal");
  check("a second click hides it", (await page.locator("#revealed").textContent()) === "");
  mayShow = null;
  await page.reload();
  check("it is gone after a reload", !hidden.some(await includedIn(page)));
  check("no page held a password", leaks.length === 0, `${documents} pages${leaks.map((url) => ` ${url}`).join("")}`);
}

async function includedIn(page) {
  const html = await page.content();
  return (password) => html.includes(password);
}

async function nothingWasWrittenThatShouldNot() {
  for (const name of ["mia", "nora", "rita"]) {
    check(`Report mismatches wrote nothing to ${name}`, (await writesOf(name)) === 0);
  }
  check("the one push was the one write", (await writes()) === 1);
}

async function setMute(addresses, mute) {
  await page.goto(addresses.client);
  await page.selectOption("#settings [name=mute]", mute);
  await page.click("#settings button[type=submit]");
  await page.waitForLoadState();
}

/** More changes at once than the breaker lets pass: held, reviewed and approved without a script, then exactly those written. */
async function aMassChangeWaitsForAPerson(addresses) {
  await setMute(addresses, "muted");
  for (const name of staff) {
    await changePassword(addresses[name], staffNext[name]);
    await page.waitForLoadState();
  }
  await setMute(addresses, "unmuted");
  const count = staff.length;
  const banner = page.locator(".approval", { hasText: `${count} password changes wait for your approval` });
  await until("a mass change is held, and the client's page says so", performance.now(), 200, async () => {
    await page.goto(addresses.client);
    return (await banner.count()) === 1;
  });
  check("nothing of it is written", (await writes()) === 1);
  await shoot("client-approval");
  await page.goto(DASHBOARD);
  check("the dashboard counts it", (await page.locator("#count-approval").textContent()) === String(count));
  const row = page.locator("tr", { hasText: CLIENT }).locator(".flag-approval b");
  check("and so does the list of clients", (await row.textContent()) === String(count));
  await shoot("dashboard-approval");

  const noScript = await browser.newContext({
    ignoreHTTPSErrors: true, javaScriptEnabled: false, storageState: await context.storageState(),
    viewport: { width: 1200, height: 900 },
  });
  noScript.setDefaultTimeout(PATIENCE_MS);
  const plain = await noScript.newPage();
  plain.on("response", watch);
  await approve(plain, addresses, count);
  await noScript.close();
  await exactlyThePlanIsWritten(addresses, count);
}

async function approve(plain, addresses, count) {
  await plain.goto(addresses.client);
  await plain.click(".approval a");
  await plain.waitForLoadState();
  const planned = [];
  for (const row of await plain.locator("#writes tbody tr").all()) {
    const cells = (await row.locator("th, td").allTextContents()).map((text) => text.trim());
    const link = new URL(await row.locator("th a").getAttribute("href"), DASHBOARD).href;
    const account = await row.locator("th a").textContent();
    planned.push([account, cells[1], cells[2], link].join(" | "));
  }
  const why = "the password changed in the vault";
  const expected = staff.map((name) => [`${name}@${TENANT}`, "2", why, addresses[name]].join(" | "));
  check("the plan's page lists every write with its reason", planned.sort().join("\n") === expected.sort().join("\n"));
  await plain.screenshot({ path: join(SCREENSHOTS, "plan.png"), fullPage: true });
  check("nothing is written before the click", (await writes()) === 1);
  await plain.getByRole("button", { name: `Approve these ${count} writes` }).click();
  await plain.waitForLoadState();
  const ruling = await plain.locator("#ruling").textContent();
  check("afterwards the page says who approved", ruling.startsWith(`Approved by ${EMAIL} on `));
  check("a second word is not offered", (await plain.locator("#approve, #reject").count()) === 0);
  await plain.screenshot({ path: join(SCREENSHOTS, "plan-approved.png"), fullPage: true });
}

async function exactlyThePlanIsWritten(addresses, count) {
  const began = performance.now();
  await until("what was approved reaches Entra ID", began, 50, async () => {
    const there = await Promise.all(staff.map((name) => hasPassword(name, staffNext[name])));
    return there.every(Boolean);
  });
  await until("the history of a credential names who approved", began, 200, async () => {
    await page.goto(addresses[staff[0]]);
    const pushed = page.locator("#history tr", { has: page.locator(".result-pushed") });
    return (await pushed.count()) === 1 && (await pushed.textContent()).includes(EMAIL);
  });
  await shoot("credential-approved");
  for (const name of staff) {
    check(`${name} was written once`, (await writesOf(name)) === 1);
  }
  check("nothing else was written", (await writes()) === 1 + count);
  await page.goto(addresses.client);
  check("nothing waits any more", (await page.locator(".approval").count()) === 0);
}
