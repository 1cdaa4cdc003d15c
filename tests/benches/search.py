"""Fills a vault and measures its search. Called by `search` beside it: SERVER FOLDER CREDENTIALS CLIENTS."""

import http.cookiejar
import json
import pathlib
import re
import sqlite3
import statistics
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import uuid

server, folder, credentials, clients = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
data = folder / "data"
PASSWORD, KEY = "a password for the bench", "an organization key for the bench"
TIMES = 200
QUERIES = ["user4999", "contoso12", "vpn", "user1 client", "admin firewall", "a", "head off", "nothing-like-it"]


def secret(name, text):
    file = folder / name
    file.touch(0o600)
    file.write_text(text)
    return file


def init():
    subprocess.run(
        [server, "init", "--data-dir", data, "--organization", "Bench", "--admin-email", "ada@msp.example",
         "--admin-password-file", secret("password", PASSWORD), "--organization-key-file", secret("key", KEY)],
        check=True, stdout=subprocess.DEVNULL)


def fill():
    """Rows as the server writes them; nothing is ever opened, so one wrapped key and one envelope serve all."""
    database = sqlite3.connect(data / "vault.db")
    (key,) = database.execute("SELECT wrapped_key FROM clients").fetchone()
    at = "2026-01-01T00:00:00.000000000Z"
    ids = [str(uuid.uuid4()) for _ in range(clients)]
    database.executemany(
        "INSERT INTO clients (id, name, sync, default_mode, mute, wrapped_key, created, seq)"
        " VALUES (?, ?, 'entra_id', 'enabled', 'unmuted', ?, ?, 1)",
        [(id, f"Client {n} Contoso{n}", key, at) for n, id in enumerate(ids)])
    types = ["Azure/Office365 User", "Azure/Office365 Admin", "Firewall", "VPN"]
    folders = ["Head office", "Branch", "Servers", ""]
    database.executemany(
        "INSERT INTO credentials (id, client, credential_type, user_name, description, notes, folder, standing, version,"
        " sealed, changed, created, seq) VALUES (?, ?, ?, ?, ?, '', ?, 'active', 1, 'AQ', ?, ?, ?)",
        [(str(uuid.uuid4()), ids[n % clients], types[n % 4], f"user{n}@contoso{n % clients}.example",
          f"Mailbox of user {n}", folders[n // 7 % 4], at, at, n) for n in range(credentials)])
    database.commit()
    database.close()


def measure(name, ask):
    taken = []
    for n in range(TIMES):
        began = time.perf_counter()
        ask(urllib.parse.quote(QUERIES[n % len(QUERIES)]))
        taken.append((time.perf_counter() - began) * 1000)
    print(f"{name}: median {statistics.median(taken):.1f} ms, slowest {max(taken):.1f} ms of {TIMES}")


init()
began = time.perf_counter()
fill()
print(f"{credentials} credentials in {clients} clients stored in {time.perf_counter() - began:.1f} s")
running = subprocess.Popen([server, "serve", "--data-dir", data, "--listen", "127.0.0.1:0"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
try:
    url = re.search(r"http\S+", running.stdout.readline()).group(0)
    browser = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def page(path):
        return browser.open(url + path).read().decode()

    csrf = re.search('name="csrf" value="([^"]+)"', page("/login")).group(1)
    login = {"csrf": csrf, "email": "ada@msp.example", "password": PASSWORD, "organization_key": KEY}
    browser.open(url + "/login", urllib.parse.urlencode(login).encode())
    session = urllib.request.Request(
        url + "/api/v2/auth/session", json.dumps({"email": "ada@msp.example", "password": PASSWORD}).encode(),
        {"content-type": "application/json"})
    token = json.load(browser.open(session))["results"]["access_token"]

    def api(query):
        request = urllib.request.Request(f"{url}/api/v2/vault/search?q={query}", headers={"x-access-token": token})
        return json.load(browser.open(request))["results"]

    assert len(api("user4999")) > 0, "the search finds nothing"
    measure("search by the API", api)
    measure("search page", lambda query: page(f"/search?q={query}"))
    client = re.search(r'href="(/clients/[0-9a-f-]{36})"', page("/search?q=user1")).group(1)
    measure("client page", lambda _: page(client))
finally:
    running.terminate()
    running.wait()
