"""No secret in files, logs at trace, metrics, arguments, environment or pages; the password after a click, and then only."""

import base64
import json
import pathlib
import urllib.parse
import zlib

import program
from dashboard import Person, address
from world import World, new_password


def run(report):
    for tls in [False, True]:
        with World(tls=tls) as world:
            _search(report, world, "with TLS" if tls else "plain")


def _search(report, world, how):
    old, new = new_password(), new_password()
    world.start_simulator({"anna": old, "mia": new_password()})
    world.start_vault(RUST_LOG="trace")
    world.login()
    world.add_client()
    world.add_credential("anna", old)
    world.add_credential("mia", new_password(), mode="report-mismatches")
    _setup(report, world, how)
    world.start_agent(log="trace", interval="1s")
    world.set_password("anna", new)
    program.until(lambda: world.credential("anna")["last_result"]["outcome"] == "pushed", "anna is pushed")
    program.until(lambda: world.done("flags", "list")["flags"], "mia is flagged")
    traced = world.folder / "logs" / "commands.log"
    for command in [["plan"], ["status"], ["credentials", "list"], ["flags", "list"]]:
        result = world.passportal("-vvv", *command)
        traced.write_text((traced.read_text() if traced.exists() else "") + result.stdout + result.stderr)
    needles = _needles(world.secrets)
    with report.case(f"{how}: the search finds what is there") as says:
        found = [name for name in world.secrets if _found(world.secret_file(name).read_bytes(), needles)]
        assert len(found) == len(world.secrets), f"only {found}"
        says(f"{len(found)} secrets, {len(needles)} forms")
    _pages(report, world, how, needles, new)
    _processes(report, world, how, needles)
    with report.case(f"{how}: no secret in the metrics") as says:
        metrics = world.agent_says("metrics")[1]
        assert "passportal_agent_writes_total" in metrics and not _found(metrics.encode(), needles)
        says(f"{len(metrics)} bytes")
    world.agent.stop()
    _command_line(report, world, how, needles)
    world.server.stop()
    _files(report, world, how, needles)


def _setup(report, world, how):
    """Setup is given every secret there is; the tenant answers late, so that it can be looked at meanwhile."""
    world.sim("POST", "faults", {"path_prefix": "/v1.0", "method": "GET", "delay": "3s", "count": 1})
    before = world.counters()["faults"]
    files = ["--config", world.config, "--session", world.session]
    setup = world.start("passportal", "-vvv", *files, "setup", *world.setup_options(), log="setup")
    program.until(lambda: world.counters()["faults"] > before, "setup waits for the tenant")
    with report.case(f"{how}: no secret in arguments and environment of passportal setup") as says:
        _no_secret_in_process("setup", setup, _needles(world.secrets))
        says(f"passportal {setup.pid}")
    assert setup.process.wait(timeout=program.PATIENCE) == 0, setup.logged()[-500:]


def _needles(secrets):
    """Every secret, as it is and as encoders of one step would leave it."""
    needles = {}
    for name, secret in secrets.items():
        raw = secret.encode()
        needles |= {
            raw: f"{name} in clear",
            secret.encode("utf-16-le"): f"{name} as UTF-16",
            raw.hex().encode(): f"{name} in hex",
            urllib.parse.quote(secret, safe="").encode(): f"{name} in a URL",
            json.dumps(secret)[1:-1].encode(): f"{name} in JSON",
            raw[::-1]: f"{name} reversed",
        }
        # In base64 the neighbours decide about the edges, and the position about everything.
        for shift in range(3):
            encoded = base64.b64encode(b"x" * shift + raw)[4:-4]
            needles[encoded] = needles[encoded.translate(bytes.maketrans(b"+/", b"-_"))] = f"{name} in base64"
    return needles


def _found(data, needles):
    """What is found in some bytes, compressed ones included."""
    texts = [data]
    for wbits in (15, 31, -15):
        try:
            texts.append(zlib.decompress(data, wbits))
        except zlib.error:
            pass
    return sorted({what for needle, what in needles.items() for text in texts if needle in text})


def _pages(report, world, how, needles, password):
    anna = world.credential("anna")
    person = Person(world)
    with report.case(f"{how}: no secret in the dashboard's pages before the click") as says:
        paths = ["/", "/clients", "/flags", f"/clients/{anna['client']}", address(anna)]
        pages = [person.home] + [person.page(path) for path in paths]
        found = [what for page in pages for what in _found(page.encode(), needles)]
        assert not found, found
        assert anna["user_name"] in pages[-1]
        says(f"{len(pages)} pages, {sum(map(len, pages))} bytes")
    with report.case(f"{how}: the password after the click, and in no page after that") as says:
        assert person.reveal(anna) == password, "another password is shown"
        assert not _found(person.page(address(anna)).encode(), needles)
        says("shown once")


def _processes(report, world, how, needles):
    with report.case(f"{how}: no secret in arguments and environment of the running processes") as says:
        running = {"agent": world.agent, "server": world.server, "simulator": world.simulator}
        for name, server in running.items():
            _no_secret_in_process(name, server, needles)
        says(", ".join(f"{name} {server.pid}" for name, server in running.items()))
    with report.case(f"{how}: nor once the agent has read its configuration anew") as says:
        world.config.write_text(world.config.read_text() + "\n[sync]\nbreaker_minimum = 11\n")
        reloaded = world.run("passportal-agent", "--config", world.config, "reload")
        assert reloaded.status == 0 and not _found((reloaded.stdout + reloaded.stderr).encode(), needles), str(reloaded)
        _no_secret_in_process("agent", world.agent, needles)
        says(reloaded.stdout.strip())


def _command_line(report, world, how, needles):
    with report.case(f"{how}: no secret in arguments and environment of passportal sync") as says:
        command = world.start("passportal", "-vvv", "--config", world.config, "sync", log="sync")
        program.until(lambda: "until Ctrl-C" in command.logged(), "it runs")
        _no_secret_in_process("passportal", command, needles)
        command.stop()
        says(f"passportal {command.pid}")


def _no_secret_in_process(name, process, needles):
    for part in ["cmdline", "environ"]:
        data = pathlib.Path(f"/proc/{process.pid}/{part}").read_bytes()
        found = _found(data, needles)
        assert data and not found, f"{name}: {part}: {found}"


def _files(report, world, how, needles):
    places = {
        "the server's files": world.vault_folder,
        "the agent's files": world.folder / "agent",
        "the person's session": world.folder / "person",
        "the logs at trace": world.folder / "logs",
    }
    for name, place in places.items():
        with report.case(f"{how}: no secret in {name}") as says:
            files = [path for path in place.rglob("*") if path.is_file()]
            found = [f"{path.name}: {what}" for path in files for what in _found(path.read_bytes(), needles)]
            assert files and not found, found
            says(f"{len(files)} files, {sum(path.stat().st_size for path in files)} bytes")
    with report.case(f"{how}: the logs were at trace") as says:
        logs = {name: (world.folder / "logs" / f"{name}.log").read_text() for name in ["passportal-server", "passportal-agent"]}
        details = {name: text.count(" TRACE ") + text.count(" DEBUG ") for name, text in logs.items()}
        assert all(details.values()), details
        says(", ".join(f"{name}: {count} lines of detail" for name, count in details.items()))
