"""A running agent goes by another configuration, logs by another filter, and is the only one of its state."""

import signal

import program
from world import CLIENT, World, new_password


def run(report):
    with World() as world:
        old = new_password()
        world.enrol({"anna": old})
        world.start_agent(interval="45s")
        good = world.config.read_text()
        _broken(report, world, good)
        _taken(report, world, good)
        _not_enrolled(report, world, good)
        _log_level(report, world)
        _second(report, world)
        with report.case("after all that, a change in the vault is pushed once") as says:
            password = new_password()
            world.set_password("anna", password)
            program.until(lambda: world.entra_has("anna", password), "Entra ID has the new password")
            assert world.writes() == 1, world.writes()
            says(f"{world.writes()} write; ended after {world.agent.stop():.2f} s")
    with World() as world:
        _nothing_to_ask(report, world)


def _ask(world, *arguments):
    return world.run("passportal-agent", "--config", world.config, *arguments)


def _broken(report, world, good):
    with report.case("SIGHUP with a broken configuration: it is told, and the agent goes on") as says:
        world.config.write_text(good + '\n[sync]\ninterval = "soon"\n')
        world.agent.process.send_signal(signal.SIGHUP)
        told = "the configuration was not taken, nothing changed"
        program.until(lambda: told in world.agent.logged(), "the log tells it")
        assert world.agent_is_ready()
        line = next(line for line in world.agent.logged().splitlines() if told in line)
        assert str(world.config) in line and "sync.interval" in line, line
        says(line.split(": ", 1)[1])
    with report.case("passportal-agent reload with a broken configuration: status 1, file and key") as says:
        result = _ask(world, "reload")
        assert result.status == 1 and "sync.interval" in result.stderr and "hint: " in result.stderr, str(result)
        says(result.stderr.splitlines()[0])


def _taken(report, world, good):
    with report.case("passportal-agent reload: what changed is taken, and what needs a restart is said") as says:
        world.config.write_text(good + '\n[sync]\nbreaker_minimum = 7\n\n[listen]\naddress = "127.0.0.1:1"\n')
        # The service was told another address on its command line, which wins: nothing needs a restart.
        result = _ask(world, "reload")
        assert result.status == 0, str(result)
        assert result.stdout == f"{CLIENT}: served by the new configuration from now on\n", str(result)
        program.until(world.agent_is_ready, "it is ready again")
        says(result.stdout.strip())
    with report.case("SIGHUP without a change: nothing begins anew") as says:
        before = world.agent.logged().count("the configuration was read anew")
        world.agent.process.send_signal(signal.SIGHUP)
        program.until(
            lambda: world.agent.logged().count("the configuration was read anew") > before, "it is read anew", patience=20
        )
        assert f"client `{CLIENT}`: unchanged" in world.agent.logged()
        says("unchanged")


def _not_enrolled(report, world, good):
    with report.case("a client that is not enrolled: told by status 1 and /readyz, the other goes on") as says:
        client = good.split("[[client]]", 1)[1].replace(CLIENT, "Fabrikam")
        world.config.write_text(f"{good}\n[[client]]{client}")
        result = _ask(world, "reload")
        assert result.status == 1 and "Fabrikam: not served" in result.stdout, str(result)
        assert "`Fabrikam` is not enrolled" in result.stderr and "passportal setup" in result.stderr, str(result)
        status, why = world.agent_says("readyz")
        assert status == 503 and why.startswith("Fabrikam: not served"), why
        says(why.strip())
    with report.case("once it is gone from the configuration the agent is ready") as says:
        world.config.write_text(good)
        result = _ask(world, "reload")
        assert result.status == 0 and world.agent_is_ready(), str(result)
        says(result.stdout.strip())


def _log_level(report, world):
    with report.case("passportal-agent log-level: more, and less again") as says:
        assert " DEBUG " not in world.agent.logged()
        result = _ask(world, "log-level", "debug")
        assert result.status == 0, str(result)
        world.done("sync", "--once")
        program.until(lambda: " DEBUG " in world.agent.logged(), "it logs more")
        assert _ask(world, "log-level", "warn").status == 0
        lines = world.agent.logged().count("\n")
        world.done("sync", "--once")
        assert world.agent.logged().count("\n") == lines, world.agent.logged()[-500:]
        says(f"{lines} lines, and no more of them at warn")
    with report.case("a filter that is none: status 2, and nothing changes") as says:
        result = _ask(world, "log-level", "msgraph_sync=loud")
        assert result.status == 2 and "msgraph_sync=loud" in result.stderr, str(result)
        says(result.stderr.splitlines()[0])


def _second(report, world):
    with report.case("a second agent over the same state is refused by the first one's name, which goes on") as says:
        result = world.run("passportal-agent", "run", "--config", world.config, "--listen", "127.0.0.1:0")
        assert result.status == 1 and str(world.agent.pid) in result.stderr and "hint: " in result.stderr, str(result)
        assert world.agent_is_ready()
        says(result.stderr.splitlines()[-2])
    with report.case("a second agent at the same address is refused") as says:
        address = world.endpoints.removeprefix("http://")
        result = world.run("passportal-agent", "run", "--config", world.config, "--listen", address)
        assert result.status == 1 and address in result.stderr, str(result)
        says(result.stderr.splitlines()[0])


def _nothing_to_ask(report, world):
    with report.case("where no service runs, reload and log-level say so") as says:
        world.start_simulator({})
        world.start_vault()
        world.login()
        world.add_client()
        world.setup()
        for arguments in [["reload"], ["log-level", "info"]]:
            result = _ask(world, *arguments)
            assert result.status == 1 and "no service answers" in result.stderr, str(result)
        says(result.stderr.splitlines()[0])
