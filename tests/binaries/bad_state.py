"""A state file that is locked, read-only, damaged or from the future: told, and nothing is written to Entra ID."""

import contextlib
import sqlite3

from refusal import FAILED, fingerprint, refused
from world import World, new_password


def run(report):
    with World() as world:
        old = new_password()
        world.enrol({"anna": old})
        _locked(report, world)
        _unusable(report, world)


def _commands(world):
    yield world.passportal("sync", "--once")
    yield world.passportal("plan")
    yield world.run("passportal-agent", "--config", world.config, "run", "--listen", "127.0.0.1:0", "--log", "off")


def _locked(report, world):
    world.start_agent()
    with report.case("the state file is locked by the running agent, and its socket is gone") as says:
        world.state.with_suffix(".sock").unlink()
        for result in _commands(world):
            told = refused(result, FAILED, str(world.state), "in use", f"pid {world.agent.pid}")
        assert world.agent_is_ready()
        says(told)
    world.agent.stop()


def _unusable(report, world):
    world.set_password("anna", new_password())
    good = world.state.read_bytes()
    cases = [
        ("read-only", None, 0o400, ["cannot be written"]),
        ("damaged at its beginning", b"not a database" * 100, 0o600, ["damaged"]),
        ("cut off", good[: len(good) // 2], 0o600, ["damaged"]),
    ]
    for name, content, mode, words in cases:
        if content is not None:
            world.state.write_bytes(content)
        world.state.chmod(mode)
        _each_refuses(report, world, f"the state file is {name}", words)
        world.state.chmod(0o600)
        world.state.write_bytes(good)
    with contextlib.closing(sqlite3.connect(world.state)) as database:
        database.execute("UPDATE _sqlx_migrations SET version = version + 1000")
        database.commit()
    _each_refuses(report, world, "the state file is from a newer version", ["newer version of the agent", "run the newer version"])
    with report.case("afterwards, with the state file gone, the agent begins anew and checks first") as says:
        for left in world.state.parent.glob("state.db*"):
            left.unlink()
        row = world.sync()["anna"]
        assert row["tested"] == "mismatch" and row["outcome"] == "pushed" and world.writes() == 1, row
        says(f"{row['why']}; 1 write")


def _each_refuses(report, world, name, words):
    with report.case(name) as says:
        before = fingerprint(world.state)
        for result in _commands(world):
            told = refused(result, FAILED, str(world.state), *words)
        assert fingerprint(world.state) == before, "the file was changed"
        assert world.writes() == 0, "something was written to Entra ID"
        says(told)
