"""A disk that is full or read-only: told, nothing is written to Entra ID, and the agent goes on once it can."""

import contextlib
import sqlite3
import time

import program
import small_disk
from refusal import FAILED, refused
from world import World, new_password

CANNOT_WRITE = "the state cannot be written"


def run(report):
    _log(report)
    if not small_disk.is_possible():
        report.note("skipped: only root can make a small disk")
        return
    with World() as world, small_disk.SmallDisk(world.folder / "small", "2m") as disk:
        world.state = disk.folder / "state.db"
        old = new_password()
        world.enrol({"anna": old})
        world.start_agent(interval="1s")
        _while_it_runs(report, world, disk)
        world.agent.stop()
        _while_it_starts(report, world, disk)


def _log(report):
    with World() as world:
        old, new = new_password(), new_password()
        world.enrol({"anna": old})
        log = world.folder / "logs" / "unwritten"
        log.with_suffix(".log").symlink_to("/dev/full")
        agent = world.start("passportal-agent", "run", "--config", world.config, "--log", "debug", "--listen", "127.0.0.1:0", log=log.name)
        with report.case("a log that cannot be written keeps the agent from nothing") as says:
            world.endpoints = agent.address()
            # Nobody should read the other one to its end.
            log.with_suffix(".log").unlink()
            log.with_suffix(".log").touch()
            program.until(world.agent_is_ready, "it is ready")
            world.set_password("anna", new)
            program.until(lambda: world.entra_has("anna", new), "the password arrives")
            says(f"pushed; ended after {agent.stop():.2f} s")


def _fill(disk, world):
    """The disk, and what is left of the database's own pages."""
    disk.fill()
    row = "INSERT INTO journal (client_id, credential_id, at, entry) VALUES ('', '', '', '')"
    with contextlib.closing(sqlite3.connect(world.state, timeout=10, isolation_level=None)) as database:
        try:
            while True:
                database.execute(row)
        except sqlite3.OperationalError as error:
            assert "full" in str(error), error


def _while_it_runs(report, world, disk):
    new, before = new_password(), world.writes()
    with report.case("the disk is full while the agent runs: nothing is written to Entra ID") as says:
        _fill(disk, world)
        said = world.agent.logged().count(CANNOT_WRITE)
        world.set_password("anna", new)
        failures = lambda: world.agent.logged().count(CANNOT_WRITE) - said
        program.until(lambda: failures() >= 2, "the agent says twice that it cannot remember")
        assert world.writes() == before and not world.entra_has("anna", new)
        assert world.agent.process.poll() is None, "the agent ended"
        line = next(line for line in world.agent.logged().splitlines() if CANNOT_WRITE in line)
        says(line[line.index(CANNOT_WRITE):])
    with report.case("there is room again: the agent goes on by itself and writes once") as says:
        disk.make_room()
        waited = program.until(lambda: world.entra_has("anna", new), "anna is pushed")
        assert world.writes() == before + 1, world.counters()
        says(f"after {waited:.1f} s; 1 write")


def _while_it_starts(report, world, disk):
    new, before, written = new_password(), world.writes(), int(time.time())
    disk.fill()
    world.set_password("anna", new)
    with report.case("the disk is full when a command starts: refused with a hint, nothing is written to Entra ID") as says:
        told = refused(world.passportal("sync", "--once"), FAILED, "cannot be written")
        assert world.writes() == before
        says(told)
    with report.case("the disk is read-only when a command starts: refused with a hint, nothing is written") as says:
        disk.make_room()
        disk.read_only()
        told = refused(world.passportal("sync", "--once"), FAILED, str(world.state), "cannot be written")
        assert world.writes() == before
        says(told)
    with report.case("afterwards the next command writes what waited, once") as says:
        disk.read_only(False)
        # Entra ID's stamps have seconds: two writes within one look like one, and the second stays unsettled.
        program.until(lambda: int(time.time()) > written, "the second of the last write is over")
        row = world.sync()["anna"]
        assert row["outcome"] == "pushed" and world.writes() == before + 1, row
        says(row["why"])
