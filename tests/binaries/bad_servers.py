"""Servers that cannot start: a port in use, no vault, no TLS beyond loopback, bad certificates."""

import os

from refusal import FAILED, USAGE, fingerprint, refused
from world import World, new_password


def run(report):
    with World(tls=True) as world:
        world.start_simulator({"anna": new_password()})
        world.start_vault()
        world.login()
        world.add_client()
        world.setup()
        _ports(report, world)
        _init(report, world)
        _serve(report, world)
        _certificates(report, world)
        _scenarios(report, world)


def _try(report, name, result_of, status, *words, untouched=None):
    """Insists on a refusal that leaves a folder as it was."""
    with report.case(name) as says:
        before = untouched and fingerprint(untouched)
        says(refused(result_of(), status, *words))
        assert (untouched and fingerprint(untouched)) == before, f"{untouched} was changed"


def _ports(report, world):
    taken = world.entra.removeprefix("https://")
    other = world.folder / "other-vault"
    assert world.run("passportal-server", "init", *world.init_options(other)).status == 0
    _try(report, "the agent's port is in use",
         lambda: world.run("passportal-agent", "--config", world.config, "run", "--listen", taken), FAILED, taken, "in use",
         untouched=world.folder / "agent")
    _try(report, "the server's port is in use",
         lambda: world.run("passportal-server", "serve", "--data-dir", other, "--listen", taken), FAILED, taken, "in use")
    _try(report, "the simulator's port is in use",
         lambda: world.run("entra-sim", "--listen", taken, "--scenario", world.secret_file("scenario.json")), FAILED, taken, "in use")
    _try(report, "a second server for one vault",
         lambda: world.run("passportal-server", "serve", "--data-dir", world.vault_folder, "--listen", "127.0.0.1:0"),
         FAILED, str(world.vault_folder), "another server")
    _try(report, "an address that is not this machine's",
         lambda: world.run("entra-sim", "--listen", "192.0.2.1:0", "--scenario", world.secret_file("scenario.json")),
         FAILED, "192.0.2.1:0")


def _init(report, world):
    _try(report, "server init over an existing vault",
         lambda: world.run("passportal-server", "init", *world.init_options(world.folder / "other-vault")),
         FAILED, "already", untouched=world.folder / "other-vault")
    fresh = world.folder / "fresh"
    refusals = [
        ("a short organization key", "--organization-key-file", world.secret("short", "short"), FAILED, "too short"),
        ("a short password", "--admin-password-file", world.secret("short", "short"), FAILED, "too short"),
        ("a missing password file", "--admin-password-file", world.folder / "missing", FAILED, "missing"),
        ("no e-mail address", "--admin-email", "ada", FAILED, "ada"),
        ("no name", "--organization", " ", FAILED, "name"),
    ]
    for name, option, value, status, word in refusals:
        options = world.init_options(fresh)
        options[options.index(option) + 1] = value
        _try(report, f"server init with {name}", lambda: world.run("passportal-server", "init", *options), status, word)
    with report.case("server init that was refused left nothing") as says:
        assert not fresh.exists(), list(fresh.iterdir())
        says("the folder is not there")
    _try(report, "server init where a file is in the way",
         lambda: world.run("passportal-server", "init", *world.init_options(world.config / "vault")), FAILED, "config.toml",
         untouched=world.folder / "agent")
    _try(report, "server init without options", lambda: world.run("passportal-server", "init"), USAGE, "--data-dir")


def _serve(report, world):
    empty = world.folder / "empty"
    empty.mkdir()
    serve = ["passportal-server", "serve", "--data-dir"]
    _try(report, "serve without init", lambda: world.run(*serve, empty), FAILED, "no vault", "init", untouched=empty)
    _try(report, "serve in a folder that is not there", lambda: world.run(*serve, world.folder / "nowhere"), FAILED, "no vault")
    with report.case("serve did not make the folder") as says:
        assert not (world.folder / "nowhere").exists() and not any(empty.iterdir())
        says("neither folder holds anything")
    other = world.folder / "other-vault"
    _try(report, "serve beyond loopback without TLS", lambda: world.run(*serve, other, "--listen", "0.0.0.0:0"), FAILED, "TLS", "--tls-cert")
    _try(report, "serve at an address that is none", lambda: world.run(*serve, other, "--listen", "here"), USAGE, "here")
    damaged = world.folder / "damaged-vault"
    damaged.mkdir()
    (damaged / "vault.db").write_bytes(b"not a database" * 100)
    (damaged / "server.key").write_bytes((other / "server.key").read_bytes())
    _try(report, "serve a damaged vault", lambda: world.run(*serve, damaged, "--listen", "127.0.0.1:0"), FAILED, "vault")
    (other / "server.key").rename(world.folder / "server.key")
    _try(report, "serve a vault whose key is gone", lambda: world.run(*serve, other, "--listen", "127.0.0.1:0"), FAILED, "server.key")
    os.replace(world.folder / "server.key", other / "server.key")


def _certificates(report, world):
    good = world.certificates
    no_pem = world.secret("no-pem", "this is no certificate")
    pairs = [
        ("a missing certificate", world.folder / "missing", good.key, "missing"),
        ("a missing key", good.certificate, world.folder / "missing", "missing"),
        ("a certificate that is none", no_pem, good.key, "no-pem"),
        ("a key that is none", good.certificate, no_pem, "no-pem"),
        ("the key of another certificate", good.ca, good.key, "certificate"),
        ("certificate and key exchanged", good.key, good.certificate, "server"),
    ]
    programs = [
        ("the server", ["passportal-server", "serve", "--data-dir", world.folder / "other-vault"]),
        ("the simulator", ["entra-sim", "--scenario", world.secret_file("scenario.json")]),
    ]
    for who, command in programs:
        for name, certificate, key, word in pairs:
            options = ["--listen", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key]
            _try(report, f"{who} with {name}", lambda: world.run(*command, *options), FAILED, word)
        _try(report, f"{who} with a certificate and no key",
             lambda: world.run(*command, "--listen", "127.0.0.1:0", "--tls-cert", good.certificate), USAGE, "--tls-key")


def _scenarios(report, world):
    secret = new_password()
    mistakes = [
        ("an unknown key", f'[[tenant]]\nname = "x.example"\npassword = "{secret}"\n', "line 3", "password"),
        ("a wrong type", '[[tenant]]\nname = "x.example"\nlockout_threshold = "many"\n', "line 3", "lockout_threshold"),
        ("text that is no TOML", "[[tenant]\n", "line 1"),
    ]
    for name, text, *words in mistakes:
        scenario = world.folder / "scenario.toml"
        scenario.write_text(text)
        with report.case(f"the simulator with a scenario with {name}") as says:
            says(refused(world.run("entra-sim", "--scenario", scenario), FAILED, str(scenario), *words, secrets=[secret]))
    _try(report, "the simulator without its scenario",
         lambda: world.run("entra-sim", "--scenario", world.folder / "missing.toml"), FAILED, "missing.toml")
