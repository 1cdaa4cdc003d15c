"""The agent under systemd: readiness and watchdog over NOTIFY_SOCKET, the journal's form, no core dump, other users."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import program
from world import World, new_password

# The watchdog wants to hear within this time.
WATCHDOG = 1.0
# So often within the patience hears only a watchdog that is told by its own time.
BEATS = 8
SERVICE = 61234
# More than the longest time in which a cycle goes on, in seconds.
TOO_LONG = 11 * 60


class Systemd:
    """The end of the notification socket that systemd has."""

    def __init__(self, folder):
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.heard = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.path.unlink()

    def environment(self):
        return {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": int(WATCHDOG * 1e6)}

    def hear(self, patience):
        """One message, as names and values."""
        self.socket.settimeout(patience)
        message = dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())
        self.heard.append(message)
        return message

    def forget(self):
        """Lets go what was said up to now."""
        try:
            while True:
                self.hear(0.01)
        except TimeoutError:
            self.heard.clear()

    def next(self, name):
        """The next message with this name."""
        end = time.monotonic() + program.PATIENCE
        while name not in (message := self.hear(max(0.01, end - time.monotonic()))):
            pass
        return message

    def beats(self):
        """Hears one more message, and says whether it was often alive by now."""
        self.hear(program.PATIENCE)
        return sum("WATCHDOG" in message for message in self.heard) >= BEATS

    def until(self, name, value="1", patience=program.PATIENCE):
        """Waits for a message in which a name has this value, or one that begins like it; one heard already counts."""
        end = time.monotonic() + patience
        while not any(message.get(name, "").startswith(value) for message in self.heard):
            self.hear(max(0.01, end - time.monotonic()))
        return next(message[name] for message in reversed(self.heard) if name in message)


def run(report):
    with World() as world:
        password = new_password()
        world.enrol({"anna": password})
        _notified(report, world)
        _frozen(report, world)
        _stuck(report, world)
        _journal(report, world)
        _core_dump(report, world)
        _alone(report, world)
    with World() as world:
        _as_another_user(report, world)


def _start(world, log="supervised", **extra):
    return world.start("passportal-agent", "run", "--config", world.config, "--listen", "127.0.0.1:0", log=log, **extra)


def _notified(report, world):
    with Systemd(world.folder) as systemd:
        with report.case("it is ready once its endpoints answer, and tells the watchdog by its time") as says:
            agent = _start(world, **systemd.environment())
            ready = systemd.hear(program.PATIENCE)
            assert ready["READY"] == "1" and ready["STATUS"].startswith("0 of 1 clients ready"), ready
            world.endpoints = agent.address()
            assert world.agent_says("healthz")[0] == 200
            took = program.until(systemd.beats, f"{BEATS} times alive")
            says(f"ready, and {BEATS} times alive in {took:.1f} s")
        with report.case("its status follows its clients, and names nobody") as says:
            said = systemd.until("STATUS", "1 of 1 clients ready")
            assert "contoso" not in said.lower(), said
            says(f"{ready['STATUS'].split(';')[0]}, then {said}")
        with report.case("a reload is told from its beginning to its end, whatever comes of it") as says:
            good = world.config.read_text()
            for text in [good + '\n[sync]\ninterval = "soon"\n', good + "\n[sync]\nbreaker_minimum = 7\n", good]:
                world.config.write_text(text)
                before = _microseconds()
                agent.process.send_signal(signal.SIGHUP)
                begun = systemd.next("RELOADING")
                assert before <= int(begun["MONOTONIC_USEC"]) <= _microseconds(), begun
                assert systemd.next("READY")["READY"] == "1"
            says("RELOADING=1 with its time, then READY=1; thrice")
        with report.case("it says that it stops before it does") as says:
            agent.process.send_signal(signal.SIGTERM)
            systemd.until("STOPPING")
            assert agent.process.wait(timeout=program.ENDING) == 0
            says("STOPPING=1, status 0")


def _microseconds():
    """As systemd counts them."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def _frozen(report, world):
    with Systemd(world.folder) as systemd:
        with report.case("a process that hangs tells the watchdog nothing") as says:
            agent = _start(world, **systemd.environment())
            systemd.until("WATCHDOG")
            agent.process.send_signal(signal.SIGSTOP)
            try:
                while True:
                    systemd.hear(WATCHDOG * 2)
            except TimeoutError:
                says("silence")
            agent.kill()


def _stuck(report, world):
    """A reading that never ends, of a pipe that nobody writes into, under a clock that is set forward."""
    libraries = list(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert libraries, "no libfaketime: install faketime"
    clock = world.folder / "clock"
    clock.write_text("+0")
    pipe = world.folder / "secrets" / "platform-token"
    os.mkfifo(pipe, 0o600)
    config = world.folder / "agent" / "stuck.toml"
    way = f'sign_in = "federated"\nfederated_token_file = "{pipe}"\n'
    config.write_text(re.sub(r'sign_in = "client-secret"\n', way, world.config.read_text()))
    assert way in config.read_text(), config.read_text()
    time_of = {"LD_PRELOAD": libraries[0], "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": 1}
    with Systemd(world.folder) as systemd:
        with report.case("a schedule that is stuck silences the watchdog, and the log names its client") as says:
            agent = world.start("passportal-agent", "run", "--config", config, "--listen", "127.0.0.1:0", log="stuck",
                                **systemd.environment(), **time_of)
            systemd.until("WATCHDOG")
            assert "is stuck" not in agent.logged(), agent.logged()
            clock.write_text(f"+{TOO_LONG}")
            program.until(lambda: "is stuck" in agent.logged(), "the log tells it", patience=20)
            systemd.forget()
            try:
                while "WATCHDOG" not in systemd.hear(WATCHDOG * 2):
                    pass
                raise AssertionError("the watchdog is told all the same")
            except TimeoutError:
                pass
            line = next(line for line in agent.logged().splitlines() if "is stuck" in line)
            says(line.split(": ", 1)[-1])
            agent.kill()


def _journal(report, world):
    with report.case("the journal gets priorities and no times") as says:
        lines = [line for form in ("text", "json") for line in _logged(world, form, to_journal=True)]
        assert lines and all(re.match(r"<[3-7]>", line) for line in lines), lines
        assert not any(re.search(r"\d{4}-\d\d-\d\dT\d\d:|\"timestamp\"", line) for line in lines), lines
        says(lines[0])
    with report.case("any other file gets times and no priorities") as says:
        lines = _logged(world, "text", to_journal=False)
        assert lines and all(re.match(r"\d{4}-\d\d-\d\dT", line) for line in lines), lines
        says(lines[0])


def _logged(world, form, to_journal):
    name = f"journal-{form}-{to_journal}"
    log = world.folder / "logs" / f"{name}.log"
    log.touch()
    # Another program's standard error may be the journal while this one's is not.
    number = log.stat().st_ino + (0 if to_journal else 1)
    agent = _start(world, name, JOURNAL_STREAM=f"{log.stat().st_dev}:{number}", PASSPORTAL_SYNC__INTERVAL="1s")
    agent.address()
    agent.stop()
    return agent.logged().splitlines()


def _core_dump(report, world):
    with report.case("it leaves no core dump when it is aborted, where another program does") as says:
        config = ["--config", world.config, "--listen", "127.0.0.1:0"]
        agent = [program.FOLDER / "passportal-agent", "run", *config]
        assert _dumps(world, ["sleep", "60"], lambda: True), "this machine writes no core dumps at all"
        assert not _dumps(world, agent, lambda: _listens(world))
        says("sleep dumped core, the agent did not")
    with report.case("nor does the vault") as says:
        vault = [program.FOLDER / "passportal-server", "serve", "--listen", "127.0.0.1:0"]
        world.server.stop()
        assert not _dumps(world, [*vault, "--data-dir", world.vault_folder], lambda: _listens(world))
        world.start_vault(listen=world.vault.removeprefix("http://"))
        says("aborted while it served")


def _listens(world):
    return (world.folder / "aborted.out").read_text().startswith("listening")


def _dumps(world, command, is_up):
    """Whether the kernel says that a program, aborted, dumped core."""
    out = world.folder / "aborted.out"
    unlimited = ["sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh", *map(str, command)]
    with open(out, "wb") as file:
        process = subprocess.Popen(unlimited, cwd=world.folder, env=program.environment(world.folder, {}),
                                   stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.DEVNULL)
    # Before that it is still the shell, or what it was made from, without the limit. The kernel cuts names off.
    name = pathlib.Path(command[0]).name[:15]
    program.until(lambda: pathlib.Path(f"/proc/{process.pid}/comm").read_text().strip() == name and is_up(), "it is up")
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = status
    for core in world.folder.glob("core*[0-9]"):
        core.unlink()
    (world.folder / "core").unlink(missing_ok=True)
    return os.WCOREDUMP(status)


def _alone(report, world):
    with report.case("its health is asked for by the program itself") as says:
        world.start_agent()
        address = world.endpoints.removeprefix("http://")
        command = ["passportal-agent", "healthcheck", "--config", world.config]
        well = world.run(*command, PASSPORTAL_LISTEN__ADDRESS=address)
        assert well.status == 0, str(well)
        world.agent.stop()
        gone = world.run(*command, PASSPORTAL_LISTEN__ADDRESS=address)
        assert gone.status == 1 and "does not answer" in gone.stderr, str(gone)
        says("0 while it runs, 1 after")


def _as_another_user(report, world):
    """As `DynamicUser=` does it: root sets up, and the service's folder belongs to a user that root is not."""
    if os.geteuid() != 0:
        report.note("only root can try other users")
        return
    password = new_password()
    world.start_simulator({"anna": password})
    world.start_vault()
    world.login()
    world.add_client()
    world.add_credential("anna", password)
    service = world.folder / "service"
    service.mkdir(mode=0o700)
    os.chown(service, SERVICE, SERVICE)
    os.chmod(world.folder, 0o711)
    world.state = service / "state.db"
    world.config = world.folder / "etc" / "config.toml"
    credentials = world.folder / "credentials"
    credentials.mkdir()
    # As systemd loads a folder: readable, in a folder that it guards.
    (credentials / "secrets_contoso").write_text(world.secrets["app-secret"])
    with report.case("what root sets up and tries beforehand, the service's user can read and write") as says:
        # However careful root is, the configuration is for the service, too.
        before = os.umask(0o077)
        world.setup()
        os.umask(before)
        modes = [path.stat().st_mode & 0o777 for path in [world.config.parent, world.config]]
        assert modes == [0o755, 0o644], modes
        world.sync()
        owners = {path.name: path.stat().st_uid for path in service.rglob("*")}
        assert owners and set(owners.values()) == {SERVICE}, owners
        says(", ".join(sorted(owners)))
    with report.case("the service runs as that user, with a secret that only root reads") as says:
        config = world.config.read_text()
        secret = str(world.secret_file("app-secret"))
        assert secret in config, config
        service_config = world.folder / "service.toml"
        service_config.write_text(config.replace(secret, "/etc/passportal-agent/secrets/contoso"))
        command = ["setpriv", f"--reuid={SERVICE}", f"--regid={SERVICE}", "--clear-groups", "--no-new-privs",
                   program.FOLDER / "passportal-agent", "--config", service_config]
        environment = program.environment(service, {"CREDENTIALS_DIRECTORY": credentials})
        agent = subprocess.Popen(
            [*command, "run", "--listen", "127.0.0.1:0"], env=environment, cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        try:
            line = agent.stdout.readline()
            assert line.startswith("listening on "), agent.communicate(timeout=program.ENDING)
            world.endpoints = line.split()[-1]
            program.until(world.agent_is_ready, "the agent is ready")
            # As the unit's ExecReload= does it. The address of the command line is the service's alone.
            reloaded = subprocess.run([*command, "reload"], env=environment, cwd="/", capture_output=True, text=True,
                                      timeout=program.PATIENCE, check=False)
            assert reloaded.returncode == 0 and "unchanged" in reloaded.stdout, str(reloaded)
        finally:
            agent.terminate()
            agent.wait(timeout=program.ENDING)
        says(f"ready; reload: {reloaded.stdout.strip()}")
