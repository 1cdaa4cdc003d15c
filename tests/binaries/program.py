"""Runs the product's programs: a command to its end, or a server until it is stopped."""

import os
import signal
import subprocess
import sys
import time

FOLDER = None
NAMES = ["passportal", "passportal-agent", "passportal-server", "entra-sim"]
# The programs are often debug builds on a busy machine.
PATIENCE = 60
# Whoever is asked to end waits for a write in flight, and not for the end of a request (30 s) or a long poll (60 s).
ENDING = 25


def must_be_there():
    missing = [name for name in NAMES if not os.access(FOLDER / name, os.X_OK)]
    if missing:
        sys.exit(f"error: {FOLDER} lacks {', '.join(missing)}\nhint: cargo build --workspace --bins, or set BIN_DIR")


def environment(home, extra):
    """Nothing of the caller's environment configures the product, and nothing goes past this machine."""
    base = {"PATH": os.environ["PATH"], "HOME": str(home), "NO_COLOR": "1", "NO_PROXY": "localhost,127.0.0.1"}
    return base | {name: str(value) for name, value in extra.items()}


class Result:
    """A command that has ended."""

    def __init__(self, command, ended):
        self.command = [str(part) for part in command]
        self.status = ended.returncode
        self.stdout = ended.stdout
        self.stderr = ended.stderr

    def __str__(self):
        output = (self.stdout + self.stderr).strip() or "nothing"
        return f"`{' '.join(self.command[1:])}` ended with {self.status} and said: {output}"


def run(home, *command, **extra):
    """Runs a command to its end; `extra` are environment variables."""
    command = [FOLDER / command[0], *map(str, command[1:])]
    ended = subprocess.run(
        command, env=environment(home, extra), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=PATIENCE, cwd=home,
    )
    return Result(command, ended)


def listening(process):
    """Reads what a program says, its log maybe among it, until it listens; returns its URL."""
    said = []
    for line in process.stdout:
        if line.startswith("listening on "):
            return line.split()[-1]
        said.append(line)
    raise AssertionError(f"it ended before it listened: {''.join(said)[-500:]}")


class Server:
    """A program that says `listening on URL` and goes on until it is stopped."""

    def __init__(self, home, log, *command, **extra):
        self.name = command[0]
        self.command = [FOLDER / command[0], *map(str, command[1:])]
        self.out_path = log.with_suffix(".out")
        self.log_path = log.with_suffix(".log")
        with open(self.out_path, "ab") as out, open(self.log_path, "ab") as err:
            self.said_before = out.tell()
            self.process = subprocess.Popen(
                self.command,
                env=environment(home, extra),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=home,
                start_new_session=True,
            )

    @property
    def pid(self):
        return self.process.pid

    def said(self):
        return self.out_path.read_bytes()[self.said_before :].decode()

    def logged(self):
        return self.log_path.read_text()

    def address(self):
        """Waits until it listens, and returns the URL that it says."""
        until(lambda: "listening on " in self.said() or self.process.poll() is not None, f"{self.name} listens")
        lines = [line for line in self.said().splitlines() if line.startswith("listening on ")]
        assert lines, f"{self.name} ended with {self.process.poll()} before it listened: {self.logged()[-500:]}"
        return lines[0].removeprefix("listening on ")

    def stop(self, how=signal.SIGTERM):
        """Asks it to end, insists on status 0, and returns the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(how)
        try:
            status = self.process.wait(timeout=ENDING)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs {ENDING} s after {how.name}") from None
        assert status == 0, f"{self.name} ended with {status} after {how.name}: {self.logged()[-500:]}"
        return time.monotonic() - began

    def kill(self):
        """Ends it however it is; for the cleaning up."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def until(is_so, what, patience=PATIENCE):
    """Waits until something is so, and returns the seconds that it took."""
    began = time.monotonic()
    while not is_so():
        waited = time.monotonic() - began
        assert waited < patience, f"not within {patience} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - began
