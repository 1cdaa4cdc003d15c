"""The command line beside a running service: the local socket, held plans, and who may not."""

import json
import os
import socket
import subprocess

import program
from refusal import FAILED, NOT_AUTHORISED, refused
from world import CLIENT, World, new_password, rows, upn

# More than the breaker lets pass within an hour.
MANY = [f"user{number:02}" for number in range(12)]
SECOND_CLIENT = "Fabrikam"
NOBODY = 65534
HELD = 4
USAGE = 2


def run(report):
    with World() as world:
        _prepare(world)
        _beside(report, world)
        _rulings(report, world)
        _strangers(report, world)
        _alone(report, world)
    with World() as world:
        _two_clients(report, world)


def _prepare(world):
    accounts = {name: new_password() for name in ["anna", *MANY]}
    world.start_simulator(accounts)
    world.start_vault()
    world.login()
    world.add_client()
    world.add_credential("anna", accounts["anna"])
    for name in MANY:
        world.add_credential(name, new_password())
    world.setup()


def _socket(world):
    return world.state.with_suffix(".sock")


def _beside(report, world):
    world.start_agent(interval="45s")
    with report.case("the socket stands beside the state file, for its owner only") as says:
        mode = _socket(world).stat().st_mode & 0o777
        assert mode == 0o600, oct(mode)
        says(f"{_socket(world).name}, {mode:o}")
    with report.case("status, plan and sync --once are answered by the service") as says:
        status = world.done("status")
        assert status["state"]["is"] == "served", status["state"]
        (client,) = status["clients"]
        assert client["vault"]["is"] == "reachable" and client["memory"]["held_plan"]["writes"] == len(MANY), client
        planned = rows(world.done("plan"))
        assert len(planned) == len(MANY) + 1 and world.writes() == 0
        world.done("sync", "--once")
        says(f"{len(planned)} rows; {client['memory']['held_plan']['writes']} writes are held, none was made")
    with report.case("the tables are the same beside the service and without it") as says:
        commands = [["plan"], ["plans"], ["plans", _waiting(world)]]
        beside = [world.passportal(*command) for command in commands]
        world.agent.stop()
        alone = [world.passportal(*command) for command in commands]
        for one, other in zip(beside, alone):
            assert one.status == other.status == 0 and one.stdout == other.stdout, f"{one}\n{other}"
        says(f"{sum(len(result.stdout.splitlines()) for result in alone)} lines")
    world.start_agent(interval="45s")
    with report.case("sync without --once is refused beside the service") as says:
        says(refused(world.passportal("sync"), FAILED, "the service keeps", "--once"))
    with report.case("a second service on the same state is refused, and the first goes on answering") as says:
        second = world.run("passportal-agent", "--config", world.config, "run", "--listen", "127.0.0.1:0", "--log", "off")
        told = refused(second, FAILED, str(world.state), "in use", f"pid {world.agent.pid}")
        world.done("status")
        says(told)
    with report.case("explain tells what is known, which rule applies and what happens next") as says:
        told = world.passportal("explain", upn("user00"))
        # What it advises to type is what the command line understands.
        assert told.status == 0 and f"passportal approve {_waiting(world)}" in told.stdout, str(told)
        (data,) = world.done("explain", upn("anna"))["explanations"]
        assert data["user_name"] == upn("anna") and data["client"] == CLIENT, data
        refused(world.passportal("explain", upn("zoe")), FAILED, "no client of this agent has a credential")
        assert world.passportal("explain", "zoe").status == USAGE
        says(f"{len(told.stdout.splitlines())} lines")


def _waiting(world):
    (plan,) = [plan for plan in world.done("plans")["plans"] if plan["standing"] == "waiting"]
    return plan["id"]


def _rulings(report, world):
    with report.case("a held plan is named by plan, listed, and shown with a reason for every write") as says:
        plan = _waiting(world)
        for command in [["plan"], ["sync", "--once"], ["plans"]]:
            result = world.passportal(*command, "--exit-code")
            assert result.status == HELD and plan[:8] in result.stdout, str(result)
        saved = world.done("plans", plan[:6])
        assert saved["id"] == plan and len(saved["writes"]) == len(MANY), saved
        assert all(saved["reasons"][write["rule"]] for write in saved["writes"])
        text = json.dumps(saved)
        assert not any(secret in text for secret in world.secrets.values())
        says(f"plan {plan[:8]} of {len(saved['writes'])} writes")
    with report.case("a plan that is not there is refused, and the one that waits is named") as says:
        gone = "00000000-0000-0000-0000-000000000001"
        for name in [gone, gone[:8]]:
            for command in ["approve", "reject", "plans"]:
                told = refused(world.passportal(command, name), FAILED, "no plan", "waits now")
        assert world.passportal("approve", "not-a-plan").status == USAGE
        assert world.writes() == 0
        says(told)
    with report.case("rejecting writes nothing, and cannot be undone by approving") as says:
        ruled = world.done("reject", plan)
        assert "local user " in ruled["standing"]["rejected"]["by"], ruled
        world.done("sync", "--once")
        told = refused(world.passportal("approve", plan), FAILED, "ruled on by local user", "already")
        assert world.writes() == 0
        says(told)
    with report.case("a new mass change is held anew; approving it makes exactly its writes at once") as says:
        # All at once, for the service would push the first ten one by one.
        world.agent.stop()
        passwords = {name: new_password() for name in MANY}
        for name, password in passwords.items():
            world.set_password(name, password)
        world.start_agent(interval="45s")
        program.until(lambda: len(_standing(world, "waiting")) == 1, "a plan waits")
        fresh = _waiting(world)
        assert fresh != plan and world.writes() == 0
        ruled = world.done("approve", fresh[:8])
        by = ruled["standing"]["approved"]["by"]
        everything = lambda: all(world.entra_has(name, password) for name, password in passwords.items())
        took = program.until(everything, "Entra ID has every password")
        assert world.writes() == len(MANY)
        log = world.agent.logged()
        for word in ["waits for approval", "is rejected by local user", "is approved by local user"]:
            assert word in log, f"the log does not say `{word}`"
        says(f"{len(MANY)} writes {took:.1f} s after the word of {by}")


def _standing(world, word):
    return [plan for plan in world.done("plans")["plans"] if word in plan["standing"]]


def _strangers(report, world):
    if os.geteuid() != 0:
        report.note("not root: no other user to try the socket with")
        return
    with report.case("another user cannot connect") as says:
        said = _as_nobody(world)
        assert said.startswith("PermissionError"), said
        says(said)
    with report.case("another user whom the files would let in is refused by the service") as says:
        loosened = [world.folder, world.state.parent, _socket(world)]
        modes = [path.stat().st_mode & 0o777 for path in loosened]
        try:
            for path in loosened:
                path.chmod(0o777)
            said = _as_nobody(world)
            reaction = world.done("status")["state"]["is"]
        finally:
            for path, mode in zip(loosened, modes):
                path.chmod(mode)
        answer = json.loads(said)["answer"]["refused"]
        assert answer["kind"] == "not_authorised" and reaction == "served", said
        says(answer["error"])
    with report.case("the command line of another user is told so, with status 5") as says:
        says(_cli_as_nobody(world))


def _as_nobody(world):
    """What another user hears who asks for the status: a process of its own, which gives its rights up."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            theirs.sendall(_ask_for_status(_socket(world)).encode())
        finally:
            os._exit(0)
    theirs.close()
    os.waitpid(pid, 0)
    return ours.makefile().read().strip()


def _ask_for_status(path):
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(program.PATIENCE)
        try:
            stream.connect(str(path))
            stream.sendall(b'{"version":1,"want":"status"}\n')
            return stream.makefile().readline()
        except OSError as error:
            return type(error).__name__


def _cli_as_nobody(world):
    """The configuration may be read by everybody; the socket may not be used by everybody."""
    loosened = {world.folder: 0o711, world.state.parent: 0o711, world.config: 0o644}
    modes = {path: path.stat().st_mode & 0o777 for path in loosened}
    try:
        for path, mode in loosened.items():
            path.chmod(mode)
        ended = subprocess.run(
            [program.FOLDER / "passportal", "--config", world.config, "plan"], user=NOBODY, group=NOBODY,
            extra_groups=[], env=program.environment("/", world.extra), capture_output=True, text=True,
            timeout=program.PATIENCE, cwd="/",
        )
    except PermissionError:
        return "not tried: another user may not run the programs in this folder"
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    result = program.Result(["", "passportal", "plan"], ended)
    return refused(result, NOT_AUTHORISED, "is for the agent's own user and for root", "sudo")


def _alone(report, world):
    with report.case("after kill -9 the command line works by itself, and the next service replaces the socket") as says:
        world.agent.kill()
        assert _socket(world).exists()
        status = world.done("status")
        assert status["state"]["is"] == "open" and status["service"]["is"] == "no_answer", status
        world.start_agent(interval="45s")
        assert world.done("status")["state"]["is"] == "served"
        world.agent.stop()
        assert not _socket(world).exists()
        says("a stale socket stops nobody; after a clean end there is none")
    with report.case("without a service, an approval is kept, and the next cycle acts on it") as says:
        passwords = {name: new_password() for name in MANY}
        for name, password in passwords.items():
            world.set_password(name, password)
        held = world.passportal("sync", "--once", "--exit-code")
        assert held.status == HELD, str(held)
        before, plan = world.writes(), _waiting(world)
        told = world.passportal("approve", plan)
        assert told.status == 0 and "passportal sync --once" in told.stderr, str(told)
        assert world.writes() == before
        row = world.sync()
        assert all(row[name]["outcome"] == "pushed" for name in MANY), row
        assert world.writes() == before + len(MANY)
        assert all(world.entra_has(name, password) for name, password in passwords.items())
        says(f"{told.stderr.strip()}")
    with report.case("a path too long for a socket is told by the service, and the command line goes on") as says:
        deep = world.folder / "agent" / ("d" * 100)
        deep.mkdir(mode=0o700)
        url = {"PASSPORTAL_STATE__URL": f"sqlite://{deep / 'state.db'}"}
        result = world.run("passportal-agent", "--config", world.config, "run", "--listen", "127.0.0.1:0", "--log", "off", **url)
        says(refused(result, FAILED, "too long", "shorter path"))


def _two_clients(report, world):
    accounts = {name: new_password() for name in ["anna"]}
    world.start_simulator(accounts)
    world.start_vault()
    world.login()
    world.add_client()
    world.add_client(SECOND_CLIENT)
    world.add_credential("anna", accounts["anna"])
    world.setup()
    world.done("setup", *world.setup_options(client=SECOND_CLIENT))
    world.start_agent(interval="45s")
    with report.case("of several clients all answer, or the chosen one") as says:
        names = lambda *more: [client["client"] for client in world.done("plan", *more)["clients"]]
        assert names() == [CLIENT, SECOND_CLIENT], names()
        assert names("--client", SECOND_CLIENT.lower()) == [SECOND_CLIENT]
        told = refused(world.passportal("plan", "--client", "Adatum"), FAILED, "does not serve", CLIENT, SECOND_CLIENT)
        says(told)
    with report.case("a conversation that is none does not disturb the service") as says:
        for nonsense in [b"", b"\0" * 9, b"GET / HTTP/1.1\r\n\r\n", b"x" * 100_000]:
            with socket.socket(socket.AF_UNIX) as stream:
                stream.connect(str(_socket(world)))
                try:
                    stream.sendall(nonsense)
                except OSError:
                    pass
        assert len(world.done("status")["clients"]) == 2
        says("4 of them")
    world.agent.stop()
