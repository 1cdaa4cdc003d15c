"""A vault, a simulated tenant and an agent in a temporary folder, each a process of its own on loopback."""

import http.cookiejar
import json
import os
import pathlib
import secrets
import shutil
import ssl
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import program
from certificates import Certificates

TENANT = "contoso.onmicrosoft.com"
CLIENT = "Contoso"
ADMIN = "ada@msp.example"
APP = "7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f00a1"
PUBLIC_APP = "7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f00a2"
POWERLESS_APP = "7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f00a3"
SECOND_APP = "7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f00a4"
PERMISSIONS = ["User.Read.All", "Domain.Read.All", "Organization.Read.All", "User-PasswordProfile.ReadWrite.All"]


def new_password():
    """Of every class, and easy to find where it does not belong."""
    return f"Canary{secrets.token_hex(12)}Zz9!"


def upn(name):
    return f"{name}@{TENANT}"


class World:
    """Use it in a `with`: at its end everything that it started is stopped, and its folder is gone."""

    def __init__(self, tls=False, **extra):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="passportal-binaries-"))
        self.extra = extra
        for name in ["secrets", "logs", "agent", "person"]:
            (self.folder / name).mkdir(mode=0o700)
        self.servers = []
        self.agent = None
        self.secrets = {}
        self.certificates = Certificates(self.folder / "tls") if tls else None
        self.config = self.folder / "agent" / "config.toml"
        self.state = self.folder / "agent" / "state.db"
        self.session = self.folder / "person" / "session.json"
        self.secret("admin-password", new_password())
        self.secret("organization-key", new_password())
        self.secret("app-secret", f"App~{secrets.token_hex(16)}")
        context = ssl.create_default_context(cafile=self.certificates.ca) if tls else None
        handlers = [urllib.request.ProxyHandler({})]
        if context:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self.handlers = handlers
        self.http = urllib.request.build_opener(*handlers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in reversed(self.servers):
            server.kill()
        shutil.rmtree(self.folder)

    # --- files

    def secret(self, name, value):
        """Writes a secret into a file that only this user can read."""
        path = self.folder / "secrets" / name
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(value)
        self.secrets[name] = value
        return path

    def secret_file(self, name):
        return self.folder / "secrets" / name

    # --- programs

    def run(self, *command, **extra):
        return program.run(self.folder, *command, **(self.extra | extra))

    def start(self, *command, log=None, **extra):
        log = self.folder / "logs" / (log or command[0])
        server = program.Server(self.folder, log, *command, **(self.extra | extra))
        self.servers.append(server)
        return server

    def passportal(self, *arguments, config=None, session=None, **extra):
        files = ["--config", config or self.config, "--session", session or self.session]
        return self.run("passportal", *files, *arguments, **extra)

    def done(self, *arguments, **extra):
        """Runs `passportal --output json`, insists on success, and returns what it printed as data."""
        result = self.passportal("--output", "json", *arguments, **extra)
        assert result.status == 0, str(result)
        try:
            return json.loads(result.stdout)
        except json.JSONDecodeError:
            raise AssertionError(f"no JSON: {result}") from None

    # --- the simulated tenant

    def start_simulator(self, accounts, verification="allowed", options=()):
        """`accounts` are names and passwords."""
        tenant = {
            "name": TENANT,
            "verification": verification,
            "app": [
                {"client_id": app, "secret": self.secrets["app-secret"], "permissions": PERMISSIONS,
                 "roles": ["User Administrator"]}
                for app in [APP, SECOND_APP]
            ] + [
                {"client_id": PUBLIC_APP, "public_client": True},
                {"client_id": POWERLESS_APP, "secret": self.secrets["app-secret"]},
            ],
            "user": [{"user_principal_name": upn(name), "password": word} for name, word in accounts.items()],
        }
        scenario = self.secret("scenario.json", json.dumps({"tenant": [tenant]}))
        self.secrets.pop("scenario.json")
        self.simulator = self.start(
            "entra-sim", "--listen", "127.0.0.1:0", "--scenario", scenario, *self._tls_options(), *options
        )
        self.entra = self.simulator.address()

    def sim(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.entra}/_sim/{path}", data, {"content-type": "application/json"})
        request.method = method
        with self.http.open(request, timeout=program.PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def counters(self):
        return self.sim("GET", "counters")

    def writes(self):
        return self.counters()["writes"]

    def entra_has(self, name, password):
        path = f"tenants/{TENANT}/users/{upn(name)}/check"
        return self.sim("POST", path, {"password": password})["matches"]

    def change_in_entra(self, name, password):
        self.sim("POST", f"tenants/{TENANT}/users/{upn(name)}/password", {"password": password})

    def delay_writes(self, delay, when):
        self.sim("POST", "faults", {"path_prefix": "/v1.0/users", "method": "PATCH", "delay": delay, "when": when})

    # --- the vault

    def init_options(self, data_dir):
        return ["--data-dir", data_dir, "--organization", "Northwind MSP", "--admin-email", ADMIN,
                "--admin-password-file", self.secret_file("admin-password"),
                "--organization-key-file", self.secret_file("organization-key")]

    def start_vault(self, listen="127.0.0.1:0", **extra):
        self.vault_folder = self.folder / "vault"
        if not self.vault_folder.exists():
            made = self.run("passportal-server", "init", *self.init_options(self.vault_folder))
            assert made.status == 0, str(made)
        self.server = self.start(
            "passportal-server", "serve", "--data-dir", self.vault_folder, "--listen", listen,
            *self._tls_options(), **extra
        )
        self.vault = self.server.address()

    def login_options(self):
        return ["--base-url", self.vault, "--email", ADMIN, "--password-file", self.secret_file("admin-password"),
                *self._ca_options()]

    def key_options(self):
        return ["--organization-key-file", self.secret_file("organization-key")]

    def login(self):
        return self.done("login", *self.login_options())

    def add_client(self, name=CLIENT, sync="entra-id"):
        return self.done("clients", "add", name, "--sync", sync, *self.key_options())

    def add_credential(self, name, password, mode="enabled"):
        file = self.secret(f"{name}-password", password)
        return self.done("credentials", "add", "--client", CLIENT, "--user-name", upn(name), "--mode", mode,
                         "--password-file", file, *self.key_options())

    def set_password(self, name, password):
        file = self.secret(f"{name}-next-password", password)
        return self.done("credentials", "set-password", upn(name), "--password-file", file, *self.key_options())

    def credential(self, name):
        credentials = self.done("credentials", "list", "--client", CLIENT)["credentials"]
        return next(line for line in credentials if line["user_name"] == upn(name))

    # --- the agent

    def enrol(self, accounts, verification="allowed"):
        """From nothing to an enrolled agent: the tenant has these accounts, the vault anna's password."""
        self.start_simulator(accounts, verification)
        self.start_vault()
        self.login()
        self.add_client()
        self.add_credential("anna", accounts["anna"])
        self.setup()

    def setup_options(self, **instead):
        """Options of setup; `instead` replaces values, by the option's name with underscores."""
        options = {
            "base_url": self.vault,
            "email": ADMIN,
            "password_file": self.secret_file("admin-password"),
            "organization_key_file": self.secret_file("organization-key"),
            "client": CLIENT,
            "tenant": TENANT,
            "sign_in": "client-secret",
            "client_id": APP,
            "client_secret_file": self.secret_file("app-secret"),
            "verification_client_id": PUBLIC_APP,
            "authority": getattr(self, "entra", None),
            "graph": getattr(self, "entra", None),
            "state_url": f"sqlite://{self.state}",
        }
        if self.certificates:
            options["extra_ca"] = self.certificates.ca
        options |= instead
        return [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]

    def setup(self):
        return self.done("setup", *self.setup_options())

    def start_agent(self, log="info", interval="2s", ready=True):
        """Starts the service and waits until it had a good cycle. One that a failed case left behind ends first."""
        if self.agent:
            self.agent.kill()
        self.agent = self.start("passportal-agent", "run", "--config", self.config, "--log", log,
                                "--listen", "127.0.0.1:0", PASSPORTAL_SYNC__INTERVAL=interval)
        self.endpoints = self.agent.address()
        if ready:
            program.until(self.agent_is_ready, "the agent is ready")

    def agent_is_ready(self):
        return self.agent_says("readyz")[0] == 200

    def agent_says(self, path):
        """Status and text of one of the agent's endpoints."""
        try:
            with self.http.open(f"{self.endpoints}/{path}", timeout=program.PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def sync(self, **extra):
        """One cycle of the command line; returns its rows by the account's name."""
        return rows(self.done("sync", "--once", **extra))

    # --- the dashboard

    def browser(self):
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        return urllib.request.build_opener(*self.handlers, jar)

    # --- TLS

    def _tls_options(self):
        return self.certificates.server_options() if self.certificates else []

    def _ca_options(self):
        return ["--extra-ca", self.certificates.ca] if self.certificates else []


def rows(cycles):
    """The rows of a sync's or a plan's only client, by the account's name."""
    (client,) = cycles["clients"]
    return {row["user_name"].split("@")[0]: row for row in client["cycle"]["rows"]}
