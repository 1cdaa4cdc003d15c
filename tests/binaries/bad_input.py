"""Bad input to login, setup and the vault's commands: one error, one hint, the status, and nothing half-written."""

import socket

import program
from refusal import FAILED, NOT_AUTHORISED, USAGE, nothing_changes, refused
from world import ADMIN, CLIENT, POWERLESS_APP, World, new_password, upn


def run(report):
    with World() as world:
        world.start_simulator({"anna": new_password()})
        world.start_vault()
        world.login()
        world.add_client()
        world.add_client("Fabrikam", sync="none")
        world.add_credential("anna", new_password())
        tries = Tries(report, world)
        _at_the_vault(tries, world)
        _at_entra(tries, world)
        _files(tries, world)
        _after_setup(tries, world)
    for offset, word in [("1h", "slow"), ("-1h", "fast")]:
        _clock(report, offset, word)


class Tries:
    """Commands that must be refused in one world."""

    def __init__(self, report, world):
        self.report = report
        self.world = world

    def command(self, name, arguments, status, *words, **extra):
        with self.report.case(name) as says, nothing_changes(self.world):
            result = self.world.passportal(*arguments, **extra)
            says(refused(result, status, *words, secrets=self.world.secrets.values()))

    def login(self, name, status, *words, **instead):
        options = {"base_url": self.world.vault, "email": ADMIN, "password_file": self.world.secret_file("admin-password")}
        parts = [part for option, value in (options | instead).items() for part in (f"--{option.replace('_', '-')}", value)]
        self.command(f"login, {name}", ["login", *parts], status, *words)

    def setup(self, name, status, *words, **instead):
        """By both programs that have the command; no configuration, no secret and no state may be left."""
        options = self.world.setup_options(**instead)
        secrets = self.world.secrets.values()
        with self.report.case(f"setup, {name}") as says, nothing_changes(self.world):
            by_hand = self.world.passportal("setup", *options)
            by_service = self.world.run("passportal-agent", "--config", self.world.config, "setup", *options)
            says(refused(by_hand, status, *words, secrets=secrets))
            refused(by_service, status, *words, secrets=secrets)
            left = list((self.world.folder / "agent").iterdir())
            assert left == [], left


def unused_port():
    """A port where nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _at_the_vault(tries, world):
    wrong = world.secret("wrong-password", new_password())
    nowhere = f"http://127.0.0.1:{unused_port()}"
    tries.setup("wrong organization key", NOT_AUTHORISED, "organization key", organization_key_file=wrong)
    tries.command("clients add, wrong organization key",
                  ["clients", "add", "Wingtip", "--organization-key-file", wrong], NOT_AUTHORISED, "organization key")
    added = ["credentials", "add", "--client", CLIENT, "--user-name", upn("ben"), "--password-file", wrong]
    tries.command("credentials add, wrong organization key",
                  [*added, "--organization-key-file", wrong], NOT_AUTHORISED, "organization key")
    tries.command("credentials set-password, wrong organization key",
                  ["credentials", "set-password", upn("anna"), "--password-file", wrong, "--organization-key-file", wrong],
                  NOT_AUTHORISED, "organization key")
    tries.login("wrong password", NOT_AUTHORISED, password_file=wrong)
    tries.setup("wrong password", NOT_AUTHORISED, password_file=wrong)
    world.login()
    tries.login("an admin that does not exist", NOT_AUTHORISED, email="nobody@msp.example")
    tries.setup("an admin that does not exist", NOT_AUTHORISED, email="nobody@msp.example")
    tries.setup("unknown client", FAILED, "`Nobody Ltd`", CLIENT, client="Nobody Ltd")
    tries.setup("a client with Microsoft sync off", FAILED, "Fabrikam", "Microsoft sync", client="Fabrikam")
    unknown = ["credentials", "add", "--client", "Nobody Ltd", "--user-name", upn("ben"), "--password-file", wrong]
    tries.command("credentials add, unknown client", [*unknown, *world.key_options()], FAILED, "Nobody Ltd")
    tries.command("credentials list, unknown client", ["credentials", "list", "--client", "Nobody Ltd"], FAILED, "Nobody Ltd")
    tries.command("clients set, unknown client", ["clients", "set", "Nobody Ltd", "--mute"], FAILED, "Nobody Ltd")
    tries.command("flags list, unknown client", ["flags", "list", "--client", "Nobody Ltd"], FAILED, "Nobody Ltd")
    tries.command("credentials set-mode, unknown credential", ["credentials", "set-mode", upn("nobody"), "off"], FAILED, "nobody")
    tries.login("unreachable vault", FAILED, base_url=nowhere)
    tries.setup("unreachable vault", FAILED, base_url=nowhere)
    tries.login("something else at that address", FAILED, base_url=world.entra)
    tries.setup("something else at that address", FAILED, base_url=world.entra)
    tries.login("http beyond this machine", FAILED, "https", base_url="http://vault.example")
    tries.setup("http beyond this machine", FAILED, "https", base_url="http://vault.example")
    tries.login("no address at all", FAILED, base_url="vault")
    tries.command("clients list, not signed in", ["clients", "list"], NOT_AUTHORISED, "passportal login",
                  session=world.folder / "none.json")
    damaged = world.secret("session.json", '{"token": "')
    tries.command("clients list, damaged session", ["clients", "list"], FAILED, "damaged", session=damaged)
    tries.command("a client that is there already", ["clients", "add", CLIENT, *world.key_options()], FAILED, "name")


def _at_entra(tries, world):
    nowhere = f"http://127.0.0.1:{unused_port()}"
    tries.setup("unreachable Entra ID", FAILED, "127.0.0.1", authority=nowhere, graph=nowhere)
    tries.setup("unreachable Graph", FAILED, "127.0.0.1", graph=nowhere)
    tries.setup("unknown tenant", FAILED, "nobody.onmicrosoft.com", tenant="nobody.onmicrosoft.com")
    tries.setup("not a tenant's name", FAILED, "a b", tenant="a b")
    tries.setup("wrong client secret", NOT_AUTHORISED, "client secret", client_secret_file=world.secret("wrong-secret", new_password()))
    tries.setup("unknown app", FAILED, "has no app", client_id="00000000-1111-2222-3333-444444444444")
    tries.setup("an app without permissions", NOT_AUTHORISED, "permission", client_id=POWERLESS_APP)
    tries.setup("no administrator in the vault", FAILED, "Azure/Office365 Admin", sign_in="vault-admin")
    tries.setup("a sign-in that does not exist", FAILED, "sign_in", sign_in="telepathy")
    tries.setup("a cloud that does not exist", FAILED, "cloud", cloud="moon")


def _files(tries, world):
    missing = world.folder / "secrets" / "missing"
    empty = world.secret("empty", "")
    readable = world.secret("readable", new_password())
    readable.chmod(0o644)
    for option in ["password_file", "organization_key_file", "client_secret_file"]:
        tries.setup(f"missing {option}", FAILED, "missing", **{option: missing})
        tries.setup(f"empty {option}", FAILED, "empty", **{option: empty})
        tries.setup(f"{option} that others can read", FAILED, "readable", **{option: readable})
    tries.login("missing password file", FAILED, "missing", password_file=missing)
    tries.login("missing certificates", FAILED, "missing", "--extra-ca", extra_ca=missing)
    tries.login("certificates that are none", FAILED, "--extra-ca", extra_ca=readable)
    tries.setup("missing certificates", FAILED, "missing", extra_ca=missing)
    tries.setup("certificates that are none", FAILED, extra_ca=readable)
    tries.setup("a state that is no file", FAILED, "--state-url", state_url="redis://host/agent")
    tries.setup("a state where no folder can be", FAILED, "cannot", state_url=f"sqlite://{readable}/state.db")
    tries.command("setup, an option that does not exist", ["setup", "--colour", "blue"], USAGE, "--colour")
    tries.command("setup without options", ["setup"], USAGE, "--email")
    tries.command("no command", ["frobnicate"], USAGE, "frobnicate")
    tries.command("a mode that does not exist", ["credentials", "set-mode", upn("anna"), "sideways"], USAGE, "sideways")


def _after_setup(tries, world):
    """What goes wrong between a good setup and a cycle."""
    world.setup()
    tries.command("setup, a client that is enrolled already", ["setup", *world.setup_options()], FAILED, CLIENT, "already")
    tries.command("setup, another vault than the configuration's",
                  ["setup", *world.setup_options(base_url="http://127.0.0.1:1")], FAILED, "127.0.0.1:1", "--config")
    tries.command("sync, unknown client", ["sync", "--once", "--client", "Nobody Ltd"], FAILED, "Nobody Ltd", CLIENT)
    right = world.secrets["app-secret"]
    world.secret("app-secret", new_password())
    for command in [["sync", "--once"], ["plan"]]:
        tries.command(f"{command[0]}, wrong client secret", command, NOT_AUTHORISED, "client secret")
    world.secret("app-secret", right)
    world.secret_file("app-secret").unlink()
    tries.command("sync, missing client secret", ["sync", "--once"], FAILED, "app-secret")
    world.secret("app-secret", right)
    unknown = {"PASSPORTAL_CLIENT__0__MICROSOFT__TENANT": "nobody.onmicrosoft.com"}
    tries.command("sync, unknown tenant", ["sync", "--once"], FAILED, "nobody.onmicrosoft.com", **unknown)
    nowhere = f"http://127.0.0.1:{unused_port()}"
    tries.command("sync, unreachable vault", ["sync", "--once"], FAILED, PASSPORTAL_PASSPORTAL__BASE_URL=nowhere)
    away = {"PASSPORTAL_CLIENT__0__MICROSOFT__GRAPH": nowhere, "PASSPORTAL_CLIENT__0__MICROSOFT__AUTHORITY": nowhere}
    tries.command("sync, unreachable Entra ID", ["sync", "--once"], FAILED, "127.0.0.1", **away)
    other = {"PASSPORTAL_CLIENT__0__NAME": "Fabrikam"}
    tries.command("sync, a client that is not enrolled", ["sync", "--once"], FAILED, "Fabrikam", "setup", **other)
    tries.command("sync, no configuration", ["sync", "--once"], FAILED, "none.toml", "--config",
                  config=world.folder / "none.toml")


def _clock(report, offset, word):
    """The service's clock is ahead where this machine's is slow."""
    with World() as world:
        password = new_password()
        world.start_simulator({"anna": password}, options=["--clock-offset", offset])
        world.start_vault()
        world.login()
        world.add_client()
        world.add_credential("anna", new_password())
        tries = Tries(report, world)
        tries.setup(f"the service's clock is off by {offset}", FAILED, f"{word} by about 1 h", "clock")
        simulator = world.simulator
        world.start_simulator({"anna": password})
        simulator.stop()
        world.setup()
        world.simulator.stop()
        world.start_simulator({"anna": password}, options=["--clock-offset", offset])
        moved = {"PASSPORTAL_CLIENT__0__MICROSOFT__GRAPH": world.entra, "PASSPORTAL_CLIENT__0__MICROSOFT__AUTHORITY": world.entra}
        tries.command(f"sync, the service's clock is off by {offset}", ["sync", "--once"], FAILED, f"{word} by about 1 h", **moved)
        world.extra = moved
        with report.case(f"the agent, the service's clock is off by {offset}: not ready, and nothing is written") as says:
            world.start_agent(ready=False)
            unready = f"{word} by about 1 h"
            program.until(lambda: unready in world.agent_says("readyz")[1], "/readyz tells the clock")
            says(world.agent_says("readyz")[1].strip())
            assert world.writes() == 0
            world.agent.stop()
