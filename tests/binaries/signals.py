"""SIGTERM and SIGINT end every program with status 0, whatever it waits for, and never in the middle of a write."""

import contextlib
import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import termios
import time

import program
from world import World, new_password

BOTH = [signal.SIGTERM, signal.SIGINT]
# A held write is waited for, whatever time it takes.
HELD = 2.0


def run(report):
    with World() as world:
        old = new_password()
        world.enrol({"anna": old})
        for how in BOTH:
            _idle(report, world, how)
        _terminal(report, world)
        for when in ["before", "after"]:
            _write_in_flight(report, world, when)
        _command_line(report, world)
        _without_the_others(report, world)
        _simulator(report, world, old)


def _idle(report, world, how):
    with report.case(f"{how.name} ends the agent during its long poll") as says:
        world.start_agent(interval="10m")
        time.sleep(1)
        says(f"status 0 after {world.agent.stop(how):.2f} s")
    with report.case(f"{how.name} ends the server during an agent's long poll") as says:
        world.start_agent(interval="10m")
        time.sleep(1)
        says(f"status 0 after {world.server.stop(how):.2f} s")
    with report.case(f"{how.name} ends the agent whose vault is gone") as says:
        says(f"status 0 after {world.agent.stop(how):.2f} s")
    _new_vault_address(world)


def _terminal(report, world):
    """Elsewhere the same signal has the configuration read anew."""
    with report.case("a terminal that is closed ends the agent that runs in it") as says:
        person, terminal = os.openpty()
        agent = subprocess.Popen(
            [program.FOLDER / "passportal-agent", "--config", world.config, "run", "--listen", "127.0.0.1:0"],
            env=program.environment(world.folder, world.extra), cwd=world.folder, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(terminal, termios.TIOCSCTTY, 0),
            stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        try:
            os.close(terminal)
            line = agent.stdout.readline()
            assert line.startswith("listening on "), line
            os.close(person)
            assert agent.wait(timeout=program.ENDING) == 0
        finally:
            agent.kill()
            agent.wait()
        says("status 0")


def _new_vault_address(world):
    """The vault comes back at another port; agent and person learn it."""
    world.start_vault()
    world.login()
    world.extra["PASSPORTAL_PASSPORTAL__BASE_URL"] = world.vault


def _write_in_flight(report, world, when):
    with report.case(f"SIGTERM during a write that is held {when} its effect: the agent finishes it, and everybody knows") as says:
        world.start_agent(interval="45s")
        before = world.counters()
        world.delay_writes(f"{HELD}s", when)
        password = new_password()
        world.set_password("anna", password)
        program.until(lambda: world.counters()["faults"] > before["faults"], "the write is in flight")
        took = world.agent.stop()
        assert world.entra_has("anna", password), "Entra ID has another password"
        assert world.writes() == before["writes"] + 1
        journal = _last_step(world)
        credential = world.credential("anna")
        version, result = credential["version"], credential["last_result"]
        assert (journal["step"], journal["phase"], journal["version"]) == ("push", "outcome", version), journal
        assert (result["outcome"], result["version"]) == ("pushed", version), result
        says(f"ended after {took:.2f} s; the vault says {result['outcome']}: {result['why']}")
    with report.case("the next agent writes nothing more") as says:
        world.start_agent(interval="1s")
        time.sleep(3)
        world.agent.stop()
        assert world.writes() == before["writes"] + 1
        assert world.credential("anna")["last_result"]["outcome"] in ("pushed", "matched")
        says(f"{world.writes()} writes, as before")


def _last_step(world):
    with contextlib.closing(sqlite3.connect(f"file:{world.state}?mode=ro", uri=True)) as database:
        (entry,) = database.execute("SELECT entry FROM journal ORDER BY sequence DESC LIMIT 1").fetchone()
        return json.loads(entry)


def _command_line(report, world):
    for how in BOTH:
        with report.case(f"{how.name} ends passportal sync") as says:
            command = world.start("passportal", "--config", world.config, "sync", log=f"sync-{how.name}")
            program.until(lambda: "until Ctrl-C" in command.logged(), "it says that it runs")
            time.sleep(1)
            says(f"status 0 after {command.stop(how):.2f} s")


def _without_the_others(report, world):
    with report.case("SIGTERM ends the agent whose tenant does not answer") as says:
        hung = {"path_prefix": "/v1.0", "method": "GET", "delay": "5m", "count": 9}
        world.sim("POST", "faults", hung)
        before = world.counters()["faults"]
        world.start_agent(ready=False)
        program.until(lambda: world.counters()["faults"] > before, "it waits for the tenant")
        took = world.agent.stop()
        world.sim("DELETE", "faults")
        says(f"status 0 after {took:.2f} s")
    with report.case("SIGTERM ends the agent whose tenant is gone") as says:
        world.start_agent(interval="1s")
        world.simulator.stop()
        time.sleep(2)
        says(f"status 0 after {world.agent.stop():.2f} s")
    with report.case("SIGTERM ends the server with nobody there") as says:
        says(f"status 0 after {world.server.stop():.2f} s")


def _simulator(report, world, password):
    for how in BOTH:
        with report.case(f"{how.name} ends the simulator") as says:
            world.start_simulator({"anna": password})
            says(f"status 0 after {world.simulator.stop(how):.2f} s")
