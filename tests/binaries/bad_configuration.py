"""Malformed configuration, by file, environment and command line: the place, the key, and a hint."""

import re

from refusal import FAILED, USAGE, fingerprint, refused
from world import CLIENT, TENANT, World, new_password

FILE = f"""\
[passportal]
base_url = "http://127.0.0.1:1"

[[client]]
name = "{CLIENT}"

[client.microsoft]
tenant = "{TENANT}"
sign_in = "client-secret"
client_id = "7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f00a1"
client_secret_file = "/nowhere"

[sync]
interval = "45s"
breaker_percent = 20

[state]
url = "sqlite:///SECRET/state.db"

[listen]
address = "127.0.0.1:0"
"""

# What stands instead of a line of the file above; the line and the words that the error names.
MISTAKES = [
    ("an unknown key", 'interval = "45s"', 'intervall = "45s"', 14, ["sync.intervall", "unknown key", "interval"]),
    ("an unknown table", "[listen]", "[lissen]", 20, ["lissen", "unknown key"]),
    ("a wrong type", "breaker_percent = 20", 'breaker_percent = "many"', 15, ["sync.breaker_percent"]),
    ("a number that is too great", "breaker_percent = 20", "breaker_percent = 300", 15, ["sync.breaker_percent", "100"]),
    ("a negative number", "breaker_percent = 20", "breaker_percent = -1", 15, ["sync.breaker_percent"]),
    ("a bad duration", 'interval = "45s"', 'interval = "soon"', 14, ["sync.interval", "span of time"]),
    ("a duration without a unit", 'interval = "45s"', "interval = 45", 14, ["sync.interval"]),
    ("a duration that is too short", 'interval = "45s"', 'interval = "1ms"', 14, ["sync.interval", "too short"]),
    ("a bad address", 'address = "127.0.0.1:0"', 'address = "somewhere"', 21, ["listen.address"]),
    ("a bad URL", 'base_url = "http://127.0.0.1:1"', 'base_url = "vault"', 2, ["passportal.base_url"]),
    ("http beyond this machine", 'base_url = "http://127.0.0.1:1"', 'base_url = "http://vault.example"', 2, ["passportal.base_url", "https"]),
    ("an unknown sign-in", 'sign_in = "client-secret"', 'sign_in = "magic"', 9, ["client[0].microsoft.sign_in", "magic"]),
    ("a missing key", f'tenant = "{TENANT}"', "", 7, ["client[0].microsoft.tenant", "missing"]),
    ("not TOML", 'interval = "45s"', "interval = 45s seconds", 14, ["not valid TOML"]),
    ("text without quotes", f'name = "{CLIENT}"', f"name = {CLIENT}", 5, ["not valid TOML"]),
    ("a key twice", f'name = "{CLIENT}"', f'name = "{CLIENT}"\nname = "{CLIENT}"', 6, ["name"]),
    ("a client twice", "[sync]", f'[[client]]\nname = "{CLIENT}"\n[client.microsoft]\ntenant = "{TENANT}"\n'
     'sign_in = "client-secret"\nclient_id = "x"\n[sync]', 14, ["client[1].name", CLIENT]),
    ("a secret", 'client_secret_file = "/nowhere"', 'client_secret = "SECRET"', 11, ["client_secret", "no secret"]),
    ("a secret in the vault's address", 'base_url = "http://127.0.0.1:1"', 'base_url = "https://ada:SECRET@vault.example"', 2,
     ["passportal.base_url", "password"]),
    ("a secret in the state's address", 'url = "sqlite:///SECRET/state.db"', 'url = "postgres://agent:SECRET@host/db"', 18,
     ["state.url", "password"]),
]

VARIABLES = [
    ("a bad duration", "PASSPORTAL_SYNC__INTERVAL", "soon", "sync.interval"),
    ("a bad number", "PASSPORTAL_SYNC__BREAKER_PERCENT", "many", "sync.breaker_percent"),
    ("a bad address", "PASSPORTAL_LISTEN__ADDRESS", "somewhere", "listen.address"),
    ("a bad truth value", "PASSPORTAL_VERIFICATION__ENABLED", "perhaps", "verification.enabled"),
    ("an unknown key", "PASSPORTAL_SYNC__INTERVALL", "45s", "sync.intervall"),
    ("a path that is none", "PASSPORTAL_SYNC", "45s", "sync"),
    ("a client that leaves one out", "PASSPORTAL_CLIENT__7__NAME", "x", "client[7]"),
    ("nothing", "PASSPORTAL_CLIENT__0__NAME", "", "client[0].name"),
]


def run(report):
    with World() as world:
        secret = new_password()
        for name, line, instead, number, words in MISTAKES:
            assert line in FILE, line
            text = FILE.replace(line, instead, 1).replace("SECRET", secret)
            world.config.write_text(text)
            with report.case(f"a configuration with {name}") as says:
                says(_each_refuses(world, FAILED, f"{world.config}:{number}: ", *words, secrets=[secret]))
        world.config.write_text(FILE.replace("SECRET", str(world.folder)[1:]))
        for name, variable, value, key in VARIABLES:
            with report.case(f"an environment variable with {name}") as says:
                says(_each_refuses(world, FAILED, f"environment variable {variable}", key, **{variable: value}))
        with report.case("a good configuration is told as good") as says:
            result = world.run("passportal-agent", "--config", world.config, "check-config")
            assert result.status == 0 and "good, 1 client" in result.stdout and result.stderr == "", str(result)
            says(result.stdout.strip())
        _verdict_table(report, world)
        _options(report, world)
        _no_file(report, world)


def _each_refuses(world, status, *words, secrets=(), **extra):
    """Every command that reads the configuration tells the same, and leaves the folder as it is."""
    before = fingerprint(world.folder / "agent")
    told = set()
    for command in [["check-config"], ["run"]]:
        result = world.run("passportal-agent", "--config", world.config, *command, **extra)
        told.add(refused(result, status, *words, secrets=secrets))
    for command in [["status"], ["plan"], ["sync", "--once"]]:
        told.add(refused(world.passportal(*command, **extra), status, *words, secrets=secrets))
    assert len(told) == 1, f"told in different words: {told}"
    assert fingerprint(world.folder / "agent") == before
    return re.sub(r"/\S*/", "…/", told.pop())


def _verdict_table(report, world):
    """Read by whatever signs in; `status` and its like do without."""
    table = world.folder / "verdicts.toml"
    table.write_text('source = "nobody"\n\n[[code]]\ncode = 50126\nname = "x"\nverdict = "mismatch"\ncounted = false\n')
    variable = {"PASSPORTAL_VERIFICATION__VERDICT_TABLE": table}
    with report.case("a broken table of sign-in codes") as says:
        result = world.run("passportal-agent", "--config", world.config, "check-config", **variable)
        says(refused(result, FAILED, "verification.verdict_table", f"{table}:4: ", "counted = true"))
    with report.case("a table of sign-in codes that is not there") as says:
        table.unlink()
        result = world.run("passportal-agent", "--config", world.config, "check-config", **variable)
        says(refused(result, FAILED, "verification.verdict_table", str(table), "the service's user may read"))


def _options(report, world):
    options = [
        ("--listen", ["run", "--listen", "somewhere"], FAILED, "option --listen"),
        ("--log", ["run", "--log", "=,=loud"], USAGE, "--log"),
        ("--log-format", ["run", "--log-format", "xml"], USAGE, "xml"),
    ]
    for name, command, status, word in options:
        with report.case(f"passportal-agent, a bad {name}") as says:
            result = world.run("passportal-agent", "--config", world.config, *command)
            says(refused(result, status, word))


def _no_file(report, world):
    with report.case("no configuration file") as says:
        world.config.unlink()
        says(_each_refuses(world, FAILED, str(world.config), "--config"))
        assert not world.config.exists()
    with report.case("a configuration file that is a folder") as says:
        world.config.mkdir()
        says(_each_refuses(world, FAILED, str(world.config)))
        world.config.rmdir()
    with report.case("a configuration file that is no text") as says:
        world.config.write_bytes(b"\xff\xfe\x00")
        says(_each_refuses(world, FAILED, str(world.config)))
    with report.case("a configuration without a client") as says:
        world.config.write_text('[passportal]\nregion = "us"\n')
        result = world.passportal("sync", "--once")
        says(refused(result, FAILED, "no client", "setup"))
