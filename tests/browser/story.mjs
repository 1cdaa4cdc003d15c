// A person goes through the help page's story at the dashboard: an empty vault, a client, its accounts, an agent, mismatches, the
// company vault, an import, and a held plan.
//
// Environment: DASHBOARD and SIMULATOR (addresses), EMAIL, SECRETS (a folder with a file for each password), STAFF (accounts that
// are imported), ENROL and AGENT (scripts for bash), PAGES (a folder to fill), PICTURES (another one, or empty).

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Judge } from "./judge.mjs";
import { enter, send, tabTo } from "./keyboard.mjs";

const { DASHBOARD, SIMULATOR, EMAIL, SECRETS, ENROL, AGENT, PAGES, PICTURES } = process.env;
const TENANT = "fabrikam.onmicrosoft.com";
const PATIENCE_MS = 60_000;

const secret = (name) => readFileSync(join(SECRETS, name), "utf8");
const staff = process.env.STAFF.split(" ");
const hidden = readdirSync(SECRETS).filter((name) => !/^all$|\./.test(name)).map(secret);
const judge = new Judge(PICTURES, hidden);
let documents = 0;
let agent = null;

function check(claim, ok, what = "") {
  console.log(`${ok ? "ok    " : "FAILED"} ${claim}${what === "" ? "" : `: ${what}`}`);
  if (!ok) {
    throw new Error(claim);
  }
}

async function until(claim, done) {
  const began = performance.now();
  while (!(await done())) {
    if (performance.now() > began + PATIENCE_MS) {
      check(claim, false, `not within ${PATIENCE_MS} ms`);
    }
    await new Promise((resume) => setTimeout(resume, 200));
  }
  check(claim, true, `${Math.round(performance.now() - began)} ms`);
}

async function sim(path, body) {
  const answer = await fetch(`${SIMULATOR}/_sim/tenants/${TENANT}/users/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) {
    throw new Error(`the simulator answered ${answer.status} to ${path}`);
  }
  const text = await answer.text();
  return text === "" ? null : JSON.parse(text);
}

const userName = (name) => `${name}@${TENANT}`;
const hasPassword = async (name, password) => (await sim(`${userName(name)}/check`, { password })).matches;
const changeElsewhere = (name) => sim(`${userName(name)}/password`, { password: secret(`foreign-${name}`) });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
  ],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
context.setDefaultTimeout(PATIENCE_MS / 2);
const page = await context.newPage();
page.on("response", keep);
page.on("pageerror", (error) => check("no script of a page fails", false, error.message));

/** Keeps every page for the search for passwords; what a click revealed is not a page. */
async function keep(response) {
  if ((response.headers()["content-type"] ?? "").includes("html") && response.status() !== 303) {
    documents += 1;
    const text = await response.text().catch(() => "");
    writeFileSync(join(PAGES, `${String(documents).padStart(3, "0")}.html`), text);
  }
}

const addresses = {};
const open = (name) => page.goto(addresses[name]);
const said = (text) => page.locator("[role=status]", { hasText: text }).isVisible();

try {
  await aPersonSignsInWithoutAMouse();
  await aClientIsCreatedAndItsSyncTurnedOn();
  await theAdministratorAndTheAccountsAreAdded();
  await theSyncIsEnabledForEachPassword();
  await anAgentIsEnrolled();
  await aPasswordIsRevealedWithoutAMouse();
  await aMismatchShowsEverywhere();
  await theVaultsPasswordIsPushed();
  await theVaultLearnsTheOtherPassword();
  await aFlagIsClearedAndAnotherSnoozed();
  await theCompanyVaultIsEdited();
  await aTableIsImported();
  await aHeldPlanIsApproved();
  await theOtherPagesAreVisited();
  await theAgentEnds();
  check(`axe-core finds nothing in ${judge.judged} looks`, judge.problems.length === 0, judge.problems.join("\n"));
} finally {
  agent?.kill();
  await browser.close();
}

async function press(name, within = page) {
  await Promise.all([page.waitForEvent("load"), within.getByRole("button", { name, exact: true }).click()]);
}

async function follow(name, within = page) {
  await Promise.all([page.waitForEvent("load"), within.getByRole("link", { name }).first().click()]);
}

async function aPersonSignsInWithoutAMouse() {
  await page.goto(DASHBOARD);
  await judge.show(page, "sign-in");
  await typeSignIn("not the key");
  check("a wrong organization key is refused", await page.locator("[role=alert]").isVisible());
  await judge.look(page, "sign-in refused");
  await page.goto(DASHBOARD);
  await typeSignIn(secret("organization-key"));
  check("the keyboard is enough to sign in", await page.locator("#count-ad_change").isVisible());
  await judge.look(page, "empty dashboard");
}

async function typeSignIn(key) {
  await page.locator("[name=email]").focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.type(EMAIL);
  await tabTo(page, "[name=password]");
  await page.keyboard.type(secret("admin-password"));
  await tabTo(page, "[name=organization_key]");
  await page.keyboard.type(key);
  await send(page);
}

async function aClientIsCreatedAndItsSyncTurnedOn() {
  await follow("Clients");
  await judge.look(page, "clients, company vault only");
  const form = page.locator("#new-client");
  await form.getByLabel("Name").fill("Fabrikam");
  await form.getByLabel("Microsoft sync").selectOption("None");
  await form.getByLabel("Default mode").selectOption("Report mismatches");
  await press("Create client", form);
  check("the client is there", (await page.locator("h1").textContent()).includes("Fabrikam"));
  addresses.client = page.url();
  await judge.look(page, "empty client");
  const settings = page.locator("#settings");
  await settings.getByLabel("Microsoft sync").selectOption("Entra ID");
  await press("Save settings", settings);
  check("Microsoft sync is on", await said("The settings were saved."));
}

async function theAdministratorAndTheAccountsAreAdded() {
  await add("administrator", "Azure/Office365 Admin");
  for (const name of ["anna", "mia", "nora", "rita"]) {
    await add(name, "Azure/Office365 User");
  }
  await open("client");
  check("the accounts are in the vault", (await page.locator("#credentials tbody tr").count()) === 5);
  await follow("With folder, URL, expiry and TOTP");
  await judge.look(page, "new credential");
}

async function add(name, type) {
  await open("client");
  const form = page.locator("#add-credential");
  await form.getByLabel("User name").fill(userName(name));
  await form.getByLabel("Type").fill(type);
  await form.getByLabel("Password").fill(secret(name));
  await press("Add credential", form);
  await open("client");
  addresses[name] = await page.getByRole("link", { name: userName(name) }).evaluate((link) => link.href);
}

async function theSyncIsEnabledForEachPassword() {
  await setMode("anna", "Enabled");
  await judge.look(page, "credential before the first cycle");
  for (const name of ["mia", "nora", "rita"]) {
    await setMode(name, "Report mismatches");
  }
  await open("anna");
  check("its mode is its own", (await page.locator("#effective-mode").textContent()).includes("Enabled"));
  await follow("Edit credential");
  await judge.look(page, "edit credential");
}

async function setMode(name, mode) {
  await open(name);
  await page.locator("#mode").getByLabel("Mode").selectOption(mode);
  await press("Save mode");
}

async function anAgentIsEnrolled() {
  const enrolled = spawnSync("bash", [ENROL], { stdio: "inherit" });
  check("the agent is enrolled with the vault's administrator", enrolled.status === 0);
  agent = spawn("bash", [AGENT], { stdio: "inherit" });
  await until("the first check finds that both sides agree", async () => {
    await open("client");
    return (await page.locator("#credentials .result-matched").count()) === 5;
  });
  await page.goto(DASHBOARD);
  check("the dashboard shows the agent", (await page.locator("#agents tbody tr").count()) === 1);
  await judge.look(page, "dashboard, nothing flagged");
}

async function aPasswordIsRevealedWithoutAMouse() {
  await page.goto(DASHBOARD);
  await enter(page, 'nav a[href="/clients"]');
  await enter(page, `a[href="${new URL(addresses.client).pathname}"]`);
  await enter(page, `a[href="${new URL(addresses.anna).pathname}"]`);
  await tabTo(page, "#reveal");
  await page.keyboard.press("Enter");
  const revealed = page.locator("#revealed");
  await page.waitForFunction(() => document.getElementById("revealed").textContent !== "");
  check("the keyboard is enough to reveal a password", (await revealed.textContent()) === secret("anna"));
  check("the focus stays at the button", await page.evaluate(() => document.activeElement.id === "reveal"));
  await judge.look(page, "revealed password");
  await page.keyboard.press("Enter");
  check("and to hide it", (await revealed.textContent()) === "");
}

async function flaggedOnTheClient(name) {
  return page.locator("#credentials tr", { hasText: userName(name) }).locator(".flag-ad_change").count();
}

async function aMismatchShowsEverywhere() {
  for (const name of ["mia", "nora", "rita"]) {
    await changeElsewhere(name);
  }
  await until("the dashboard counts the mismatches", async () => {
    await page.goto(DASHBOARD);
    return (await page.locator("#count-ad_change").textContent()) === "3";
  });
  await judge.show(page, "dashboard");
  await follow("Clients");
  const row = page.locator("tr", { hasText: "Fabrikam" });
  check("the list of clients too", (await row.locator(".flag-ad_change b").textContent()) === "3");
  await judge.show(page, "clients");
  await open("client");
  check("the client shows which", (await flaggedOnTheClient("mia")) === 1 && (await flaggedOnTheClient("anna")) === 0);
  await judge.show(page, "client");
  await open("mia");
  check("the password is flagged", (await page.locator(".flag-list .flag-ad_change").count()) === 1);
  await judge.show(page, "credential");
}

async function flagIsDown(name) {
  await open("client");
  return (await flaggedOnTheClient(name)) === 0;
}

async function theVaultsPasswordIsPushed() {
  await setMode("mia", "Enabled");
  check("switching to Enabled asks first", (await page.locator("#at-stake tbody tr").count()) === 1);
  await judge.show(page, "overwrite");
  await press("Switch to Enabled and overwrite");
  await until("the vault's password is pushed", () => hasPassword("mia", secret("mia")));
  await until("its flag goes down", () => flagIsDown("mia"));
}

async function theVaultLearnsTheOtherPassword() {
  await open("nora");
  await page.locator("#change-password").getByLabel("New password").fill(secret("foreign-nora"));
  await press("Change password");
  await until("the flag of a password that the vault learnt goes down", () => flagIsDown("nora"));
  check("nothing was pushed to it", await hasPassword("nora", secret("foreign-nora")));
}

async function aFlagIsClearedAndAnotherSnoozed() {
  await page.goto(`${DASHBOARD}/flags`);
  await judge.show(page, "flags");
  await page.getByLabel(`Select AD change of ${userName("rita")}`).check();
  await press("Snooze selected…");
  await judge.look(page, "snooze");
  await page.getByLabel("Reason").fill("Rita changes it on Monday");
  await page.getByLabel("Until").fill(new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10));
  await press("Snooze");
  await judge.look(page, "flags, one snoozed");
  await press(`End now the snooze of ${userName("rita")}`);
  await open("rita");
  await press("Clear AD change");
  await page.goto(DASHBOARD);
  check("a flag that a person cleared is down", (await page.locator("#count-ad_change").textContent()) === "0");
}

async function theCompanyVaultIsEdited() {
  await page.goto(`${DASHBOARD}/clients`);
  await follow("", page.locator("tr", { hasText: "Company vault" }));
  await page.getByRole("navigation", { name: "This client" }).getByRole("link", { name: "Edit" }).click();
  const settings = page.locator("#settings");
  await settings.getByLabel("Name").fill("Northwind's own");
  await settings.getByLabel("Microsoft sync").selectOption("None");
  await press("Save settings", settings);
  check("the company vault has another name", (await page.locator("h1").textContent()).includes("Northwind's own"));
  const form = page.locator("#add-credential");
  await form.getByLabel("User name").fill("safe");
  await form.getByLabel("Type").fill("Safe");
  await form.getByLabel("Password").fill(secret("safe"));
  await press("Add credential", form);
  await follow("safe");
  await judge.look(page, "credential of the company vault");
}

async function aTableIsImported() {
  await open("client");
  await page.locator("#settings").getByLabel("Default mode").selectOption("Enabled");
  await press("Save settings");
  await follow("Import and export");
  await judge.look(page, "import");
  const header = "Passportal ID (BLANK),Client Name,Credential,Username,Password,Description,Expires (Yes/No),Notes,URL,Folder(Optional),TOTP Secret";
  const rows = staff.map((name) => `,Fabrikam,Azure/Office365 User,${userName(name)},${secret(name)},Staff,No,"First line\nsecond line",,Staff,`);
  const refused = ",Fabrikam,Azure/Office365 User,,,No user name,No,,,,";
  await page.setInputFiles("[name=file]", {
    name: "fabrikam.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(`\uFEFF${[header, ...rows, refused].join("\r\n")}\r\n`),
  });
  await press("Preview");
  check("the preview counts the rows", await page.locator("#counts", { hasText: "12 new, 0 already there, 1 refused." }).isVisible());
  await judge.show(page, "import");
  await press("Import");
  await open("client");
  check("the accounts are there", (await page.locator("#credentials tbody tr").count()) === 17);
}

async function aHeldPlanIsApproved() {
  await until("so many writes at once are held", async () => {
    await page.goto(DASHBOARD);
    return (await page.locator("#count-approval").textContent()) === String(staff.length);
  });
  check("nothing of it is written", !(await hasPassword(staff[0], secret(staff[0]))));
  await judge.look(page, "dashboard with a held plan");
  await follow("Review");
  await judge.show(page, "plan");
  await press(`Approve these ${staff.length} writes`);
  check("the page says who approved", await page.locator("#ruling", { hasText: EMAIL }).isVisible());
  await judge.look(page, "approved plan");
  await until("exactly these are written", async () => {
    const there = await Promise.all(staff.map((name) => hasPassword(name, secret(name))));
    return there.every(Boolean);
  });
}

async function theOtherPagesAreVisited() {
  await page.goto(DASHBOARD);
  await page.getByLabel("Search credentials").fill("fabrikam staff0");
  await send(page);
  check("the search finds the accounts", (await page.locator("#found tbody tr").count()) === 9);
  await judge.show(page, "search");
  await page.goto(`${DASHBOARD}/search?q=nobody`);
  await judge.look(page, "search without a result");
  await page.goto(`${DASHBOARD}/reports`);
  const reports = await page.locator("nav[aria-label=Reports] a").evaluateAll((links) => links.map((link) => link.href));
  for (const address of reports) {
    await page.goto(address);
    await judge.look(page, address.replace(DASHBOARD, ""));
  }
  await page.goto(`${DASHBOARD}/reports/changes`);
  await judge.show(page, "report");
  await page.goto(`${DASHBOARD}/audit?verify=1`);
  await judge.show(page, "audit");
  await page.goto(`${DASHBOARD}/trends`);
  await judge.show(page, "trends");
  await page.goto(`${DASHBOARD}/downloads`);
  await judge.show(page, "downloads");
  await aChannelIsAdded();
  await page.goto(`${DASHBOARD}/people`);
  await judge.show(page, "people");
  await page.goto(`${DASHBOARD}/account`);
  await judge.show(page, "account");
  for (const path of ["account/second-factor", "organization-key", "api/documentation/v2", "nowhere"]) {
    await page.goto(`${DASHBOARD}/${path}`);
    await judge.look(page, path);
  }
  await open("mia");
  await judge.look(page, "credential with history");
}

async function aChannelIsAdded() {
  await page.goto(`${DASHBOARD}/notices`);
  await page.getByLabel("Name", { exact: true }).fill("On call");
  await page.getByLabel("Webhook", { exact: true }).check();
  await page.getByLabel("Address", { exact: true }).fill("http://127.0.0.1:9/hook");
  await judge.look(page, "new notice channel");
  await page.getByRole("button", { name: "Add the channel" }).click();
  check("the signing secret is shown once", await page.locator("#signing-secret").isVisible());
  await judge.look(page, "signing secret");
  await page.goto(`${DASHBOARD}/notices`);
  await judge.show(page, "notices");
}

async function theAgentEnds() {
  const ended = once(agent, "exit");
  agent.kill("SIGTERM");
  const [status] = await ended;
  agent = null;
  check("the agent ends with status 0", status === 0);
}
