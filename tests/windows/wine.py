"""Runs programs of Windows under Wine, in the folder that `packaging/windows/toolchain` made."""

import os
import pathlib
import subprocess

import program

WINE = "/usr/lib/wine/wine64"
# Wine starts slowly on a busy machine.
PATIENCE = 180


class Windows:
    """One machine with Windows, on as long as it is used in a `with`: without a program that goes on, Wine ends all services."""

    def __init__(self, prefix, binaries):
        self.prefix = pathlib.Path(prefix)
        self.binaries = pathlib.Path(binaries)
        self.drive = self.prefix / "drive_c"

    def __enter__(self):
        self.lasting = subprocess.Popen(
            [WINE, "cmd"], env=self.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, bufsize=1,
        )
        # A program that asks for services while the machine still boots may wait for ever.
        self.lasting.stdin.write("echo up: %OS%\n")
        while "up: Windows_NT" not in (line := self.lasting.stdout.readline()):
            assert line, "the machine does not boot"
        return self

    def __exit__(self, *_):
        self.lasting.stdin.close()
        self.lasting.wait(timeout=PATIENCE)

    def environment(self):
        return program.environment(self.drive, {"WINEPREFIX": self.prefix, "WINEDEBUG": "-all",
                                                "WINEDLLOVERRIDES": "mscoree=,mshtml="})

    def path(self, path):
        """A path of this machine as Windows knows it."""
        path = pathlib.Path(path)
        if path.is_relative_to(self.drive):
            return "C:\\" + str(path.relative_to(self.drive)).replace("/", "\\")
        return "Z:" + str(path).replace("/", "\\")

    def run(self, name, *arguments):
        """Runs one of the product's programs to its end."""
        return self.run_any(self.binaries / f"{name}.exe", *arguments)

    def run_any(self, *command):
        command = [WINE, *map(str, command)]
        ended = subprocess.run(
            command, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, cwd=self.drive,
        )
        return program.Result(command, ended)

    def done(self, name, *arguments):
        """Runs one of the product's programs, insists on success, and returns what it printed."""
        result = self.run(name, *arguments)
        assert result.status == 0, str(result)
        return result.stdout.strip()

    def refused(self, name, *arguments):
        """Runs one of the product's programs, insists on a failure with a hint, and returns what it said."""
        result = self.run(name, *arguments)
        assert result.status == 1 and "error: " in result.stderr and "hint: " in result.stderr, str(result)
        return result.stderr.strip().splitlines()[0]
