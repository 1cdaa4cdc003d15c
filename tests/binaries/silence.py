"""`passportal status` of an agent that goes on, and hears nothing or says nothing."""

import signal

import program
from world import CLIENT, World, new_password

SECOND_CLIENT = "Fabrikam"


def run(report):
    with World() as world:
        world.enrol({"anna": new_password()})
        _clients(report, world)
        _not_served(report, world)
        _agent(report, world)


def _status(world, client=CLIENT):
    """What it says of the agent, and of this client."""
    status = world.done("status")
    return status, next(it for it in status["clients"] if it["client"] == client)


def _overdue(world):
    """How its cycles go, once it is overdue."""
    cycles = _status(world)[1]["cycles"]
    return cycles if cycles["overdue"] else {}


def _text(world):
    result = world.passportal("status")
    assert result.status == 0, str(result)
    return result.stdout


def _clients(report, world):
    world.start_agent(interval="1s")
    with report.case("a client that is kept in step has its last good cycle") as says:
        _, client = _status(world)
        assert client["served"] and client["cycles"]["last_good"], client
        says(client["cycles"]["last_good"])
    with report.case("one without a good cycle for two intervals is silent, and why") as says:
        world.simulator.stop()
        # A cycle tries each request several times before it fails.
        program.until(lambda: "failed" in _overdue(world), "it is overdue, because a cycle failed")
        assert _status(world)[1]["cycles"]["last_good"]
        text = _text(world)
        assert "silent since" in text and f"{CLIENT}: no good cycle for more than two intervals" in text, text
        says(text.splitlines()[-1])
    with report.case("one that had none at all, either") as says:
        world.start_agent(interval="1s", ready=False)
        program.until(lambda: _overdue(world), "it is overdue")
        assert _status(world)[1]["cycles"]["last_good"] is None
        assert "silent from its start" in _text(world)
        says("silent from its start")


def _not_served(report, world):
    with report.case("one that the agent does not serve is told as such") as says:
        config = world.config.read_text()
        tables = config[config.index("[[client]]"):]
        world.config.write_text(config + "\n" + tables.replace(f'"{CLIENT}"', f'"{SECOND_CLIENT}"'))
        try:
            status, client = _status(world, SECOND_CLIENT)
        finally:
            world.config.write_text(config)
        assert status["state"]["is"] == "served" and client["served"] is False, status
        says(f"served: {client['served']}, enrolled: {client['enrolled']}")


def _agent(report, world):
    with report.case("an agent that does not answer is silent") as says:
        world.agent.process.send_signal(signal.SIGSTOP)
        try:
            text = _text(world)
        finally:
            world.agent.process.send_signal(signal.SIGCONT)
        (state,) = [line for line in text.splitlines() if line.startswith("state ")]
        assert "silent" in state, text
        says(state)
    with report.case("without an agent, status says that none runs") as says:
        world.agent.stop()
        assert "no agent runs" in _text(world)
        says("readable: no agent runs")
