"""The first version's folder is carried on by this one: configuration, enrolment and memory; and there is no way back."""

import contextlib
import json
import pathlib
import sqlite3

import program
from refusal import FAILED, fingerprint, refused
from world import World, new_password

PROJECT = pathlib.Path(__file__).resolve().parents[2]
FIRST = PROJECT / "tests" / "fixtures" / "version-0.1.0"
STATE = PROJECT / "state-store" / "tests" / "fixtures" / "version-0.1.0.sql"
# As the fixture of the state calls its client, and the credential that it remembers nothing of.
CLIENT_THEN, CREDENTIAL_THEN = (f"00000000-0000-0000-0000-{number:012x}" for number in (0xA, 2))


def run(report):
    with World() as world:
        old, new = new_password(), new_password()
        world.enrol({"anna": old})
        _back_to_the_first_version(world, world.credential("anna"))
        _carried_on(report, world, old, new)
        _no_way_back(report, world)


def _back_to_the_first_version(world, anna):
    """Puts what that version left in the place of what this one made."""
    (enrolment,) = (world.folder / "agent" / "secrets").glob("*.enrolment.json")
    enrolled = json.loads(enrolment.read_text())
    assert enrolled.keys() == json.loads((FIRST / "enrolment.json").read_text()).keys(), enrolled.keys()
    _fill(FIRST / "enrolment.json", enrolment, enrolled)
    names = {"VAULT": world.vault, "ENTRA": world.entra, "AGENT": world.folder / "agent", "SECRETS": world.folder / "secrets"}
    _fill(FIRST / "config.toml", world.config, names)
    for left in world.state.parent.glob("state.*"):
        left.unlink()
    dump = STATE.read_text().replace(CLIENT_THEN, enrolled["client"]).replace(CREDENTIAL_THEN, anna["id"])
    with contextlib.closing(sqlite3.connect(world.state)) as database:
        database.executescript(dump)


def _fill(template, place, names):
    text = template.read_text()
    for name, value in names.items():
        text = text.replace(f"@{name}@", str(value))
    assert "@" not in text, text
    place.write_text(text)


def _carried_on(report, world, old, new):
    with report.case("this version starts over the first one's folder, and writes nothing for that") as says:
        checked = world.run("passportal-agent", "--config", world.config, "check-config")
        assert checked.status == 0, str(checked)
        world.start_agent()
        assert world.entra_has("anna", old) and world.writes() == 0
        assert not [line for line in world.agent.logged().splitlines() if " ERROR " in line], world.agent.logged()
        says(checked.stdout.strip())
    with report.case("a password that changes in the vault is pushed") as says:
        world.set_password("anna", new)
        program.until(lambda: world.entra_has("anna", new), "Entra ID has it")
        program.until(lambda: world.credential("anna")["last_result"]["outcome"] == "pushed", "the vault knows")
        says(f"{world.writes()} write; ended after {world.agent.stop():.2f} s")
    with report.case("what the first version remembered is still remembered") as says:
        with contextlib.closing(sqlite3.connect(f"file:{world.state}?mode=ro", uri=True)) as database:
            (versions,) = database.execute("SELECT group_concat(version) FROM _sqlx_migrations").fetchone()
            (entries,) = database.execute("SELECT count(*) FROM journal WHERE entry LIKE '%2023-11-14%'").fetchone()
            (epoch,) = database.execute("SELECT memory ->> 'epoch' FROM client_memory").fetchone()
        assert versions == "1,2" and entries == 2, (versions, entries)
        says(f"schema {versions}; {entries} entries of the journal; epoch {epoch}")


def _no_way_back(report, world):
    with contextlib.closing(sqlite3.connect(world.state)) as database:
        database.execute("INSERT INTO _sqlx_migrations SELECT 99, 'to come', installed_on, 1, checksum, 0 FROM _sqlx_migrations LIMIT 1")
        database.commit()
    with report.case("an agent that is older than its state refuses it, and changes nothing") as says:
        before = fingerprint(world.state)
        result = world.run("passportal-agent", "run", "--config", world.config)
        says(refused(result, FAILED, str(world.state), "newer version of the agent", "run the newer version"))
        assert fingerprint(world.state) == before
    with report.case("a server that is older than its vault refuses it, and says what to do") as says:
        world.server.stop()
        vault = world.vault_folder / "vault.db"
        with contextlib.closing(sqlite3.connect(vault)) as database:
            database.execute("INSERT INTO _sqlx_migrations SELECT 99, 'to come', installed_on, 1, checksum, 0 FROM _sqlx_migrations LIMIT 1")
            database.commit()
        result = world.run("passportal-server", "serve", "--data-dir", world.vault_folder, "--listen", "127.0.0.1:0")
        says(refused(result, FAILED, str(vault), "newer version of the server", "run the newer version"))
