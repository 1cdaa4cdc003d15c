"""The service of Windows: installed, enrolled, syncing, stopped in the middle of a write, and removed."""

import contextlib
import json
import shutil
import socket

import program
from wine import PATIENCE
from world import CLIENT, World, new_password, upn

# A held write is waited for, whatever time it takes.
HELD = 8
AGENT = "passportal-agent"


def run(report, windows):
    folder = windows.drive / "ProgramData" / AGENT
    shutil.rmtree(folder, ignore_errors=True)
    with World() as world, _removed_at_the_end(windows, folder):
        _before(report, windows)
        _set_up(report, windows, world, folder)
        _install(report, windows)
        _push(report, windows, world, folder)
        _beside(report, windows)
        _write_in_flight(report, windows, world)
        _cannot_run(report, windows, folder)
        _secrets(report, windows, world, folder)
        _remove(report, windows, folder)


@contextlib.contextmanager
def _removed_at_the_end(windows, folder):
    try:
        yield
    finally:
        windows.run(AGENT, "service", "uninstall")
        shutil.rmtree(folder, ignore_errors=True)


def _before(report, windows):
    with report.case("without a service and a configuration every command says what to do") as says:
        for command in ["status", "start", "stop", "uninstall"]:
            assert "not installed" in windows.refused(AGENT, "service", command)
        says(windows.refused(AGENT, "service", "install"))


def _set_up(report, windows, world, folder):
    with report.case("setup with options alone enrols the machine, into ProgramData") as says:
        old = new_password()
        world.start_simulator({"anna": old})
        world.start_vault()
        world.login()
        world.add_client()
        world.add_credential("anna", old)
        files = {name: windows.path(world.secret_file(name))
                 for name in ["admin-password", "organization-key", "app-secret"]}
        options = world.setup_options(password_file=files["admin-password"], client_secret_file=files["app-secret"],
                                      organization_key_file=files["organization-key"])
        at = options.index("--state-url")
        said = windows.done(AGENT, "setup", *options[:at], *options[at + 2:])
        assert CLIENT in said and r"C:\ProgramData\passportal-agent\config.toml" in said, said
        (enrolment,) = (folder / "secrets").iterdir()
        says(f"{said}; {enrolment.name}")
    with report.case("what it keeps is protected by the machine") as says:
        assert not enrolment.read_bytes().startswith(b"{") and b"token" not in enrolment.read_bytes()
        says(f"{len(enrolment.read_bytes())} bytes, no JSON")
    world.port = _free_port()
    with open(folder / "config.toml", "a", encoding="utf-8") as config:
        config.write(f'\n[sync]\ninterval = "2s"\n\n[listen]\naddress = "127.0.0.1:{world.port}"\n')
    world.endpoints = f"http://127.0.0.1:{world.port}"


def _free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def _install(report, windows):
    with report.case("service install makes a service that starts with the machine, as an account of its own") as says:
        for _ in ["anew", "again"]:
            assert "the service is installed" in windows.done(AGENT, "service", "install")
        assert "it is stopped" in windows.refused(AGENT, "service", "status")
        entry = windows.run_any("reg", "query", rf"HKLM\System\CurrentControlSet\Services\{AGENT}").stdout
        for part in [r"NT SERVICE\passportal-agent", "run --service", "Description", "Start    REG_DWORD    0x2"]:
            assert part in entry, f"{part} is not in {entry}"
        source = windows.run_any("reg", "query", rf"HKLM\System\CurrentControlSet\Services\EventLog\Application\{AGENT}")
        assert "EventMessageFile" in source.stdout, str(source)
        says("automatic, NT SERVICE\\passportal-agent, a source of the event log")


def _push(report, windows, world, folder):
    with report.case("service start comes back once it runs, and it becomes ready") as says:
        for _ in ["anew", "again"]:
            assert windows.done(AGENT, "service", "start") == "the service runs"
        assert "running (process" in windows.done(AGENT, "service", "status")
        took = program.until(world.agent_is_ready, "the agent is ready", PATIENCE)
        says(f"ready {took:.1f} s later; log files: {', '.join(it.name for it in (folder / 'log').iterdir())}")
    with report.case("a password changed in the vault is pushed to Entra ID") as says:
        changed = new_password()
        world.set_password("anna", changed)
        took = program.until(lambda: world.entra_has("anna", changed), "Entra ID has it", PATIENCE)
        program.until(lambda: _outcome(world) == "pushed", "the vault is told", PATIENCE)
        says(f"after {took:.1f} s; {world.writes()} write")


def _outcome(world):
    result = world.credential("anna")["last_result"]
    return result and result["outcome"]


def _beside(report, windows):
    with report.case("passportal status is answered by the service, over its pipe") as says:
        status = json.loads(windows.done("passportal", "--config", r"C:\ProgramData\passportal-agent\config.toml",
                                         "--output", "json", "status"))
        assert status["state"]["is"] == "served", status["state"]
        says(f"state {status['state']['is']}, service {status['service']['is']}")
    with report.case("a second agent with the same memory is refused") as says:
        says(windows.refused(AGENT, "run", "--listen", "127.0.0.1:0"))


def _write_in_flight(report, windows, world):
    with report.case("service stop finishes the write in flight, and everybody knows") as says:
        before = world.counters()
        world.delay_writes(f"{HELD}s", "before")
        password = new_password()
        world.set_password("anna", password)
        program.until(lambda: world.counters()["faults"] > before["faults"], "the write is in flight", PATIENCE)
        windows.done(AGENT, "service", "stop")
        assert "it is stopped" in windows.refused(AGENT, "service", "status")
        assert world.entra_has("anna", password), "Entra ID has another password"
        credential = world.credential("anna")
        result = credential["last_result"]
        assert (result["outcome"], result["version"]) == ("pushed", credential["version"]), result
        says(f"the vault says {result['outcome']}: {result['why']}")


def _cannot_run(report, windows, folder):
    with report.case("a service that cannot run says so at its start, and why in its log") as says:
        config = folder / "config.toml"
        whole = config.read_text()
        config.write_text(whole + "\n[unknown]\n")
        said = windows.refused(AGENT, "service", "start")
        assert "it is failed: exit code 1" in windows.refused(AGENT, "service", "status")
        config.write_text(whole)
        logged = "".join(it.read_text() for it in (folder / "log").iterdir())
        (why,) = [line for line in logged.splitlines() if "cannot run" in line][-1:]
        assert "unknown" in logged, logged[-500:]
        says(f"{said}; logged: {why[-120:]}")


def _secrets(report, windows, world, folder):
    with report.case("no secret lies in any file of the agent's, or in the registry") as says:
        files = [it for it in [*folder.rglob("*"), *windows.prefix.glob("*.reg")] if it.is_file()]
        found = [f"{name} in {it.name}" for it in files for name, secret in world.secrets.items()
                 if secret.encode() in it.read_bytes()]
        assert not found, found
        says(f"{len(world.secrets)} secrets, {len(files)} files: {', '.join(sorted(it.name for it in files))}")


def _remove(report, windows, folder):
    with report.case("service uninstall removes the service, and leaves what it knows") as says:
        windows.done(AGENT, "service", "start")
        assert "is removed" in windows.done(AGENT, "service", "uninstall")
        assert "not installed" in windows.refused(AGENT, "service", "status")
        source = windows.run_any("reg", "query", rf"HKLM\System\CurrentControlSet\Services\EventLog\Application\{AGENT}")
        assert source.status != 0, str(source)
        assert (folder / "config.toml").exists() and list((folder / "secrets").iterdir())
        says("while it ran")
