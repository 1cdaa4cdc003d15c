"""A person's terminal: a program in tmux, keys sent, screens read."""

import pathlib
import re
import shlex
import subprocess
import tempfile
import time

import program

# Wide enough for an address, as high as a screen of today.
SIZE = ("110", "42")


class Terminal:
    """Use it in a `with`: at its end the program and its terminal are gone."""

    def __init__(self, folder, command, **extra):
        # Of its own: the one before may still be on its way out.
        place = pathlib.Path(tempfile.mkdtemp(prefix="terminal-", dir=folder))
        self.socket = place / "tmux"
        self.status_file = place / "status"
        line = shlex.join(map(str, command))
        # Ctrl-C is for the program; the shell stays to note how it ended.
        line = f"trap : INT; {line}; echo $? > {shlex.quote(str(self.status_file))}; sleep 600"
        variables = [part for name, value in extra.items() for part in ("-e", f"{name}={value}")]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "person", "-x", SIZE[0], "-y", SIZE[1], *variables,
                  "sh", "-c", line, env=program.environment(folder, {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}))
        self.tmux("set-option", "-g", "history-limit", "5000")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")

    def tmux(self, *arguments, **extra):
        command = ["tmux", "-S", self.socket, *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=program.PATIENCE, **extra)
        assert ended.returncode == 0 or "kill-server" in arguments, f"tmux {arguments[0]}: {ended.stderr}"
        return ended.stdout

    def screen(self):
        """Everything that was shown so far, without empty lines at its end."""
        return self.tmux("capture-pane", "-p", "-J", "-S", "-", "-t", "person").rstrip()

    def wait_for(self, text):
        """Waits until the text is shown; a line that the terminal broke counts as one."""
        end = time.monotonic() + program.PATIENCE
        while time.monotonic() < end:
            shown = self.screen()
            if text in re.sub(r"\s+", " ", shown):
                return shown
            time.sleep(0.05)
        raise AssertionError(f"{text!r} was not shown within {program.PATIENCE} s:\n{self.screen()}")

    def type(self, text=""):
        """Types a line, and Enter."""
        if text:
            self.tmux("send-keys", "-t", "person", "-l", text)
        self.tmux("send-keys", "-t", "person", "Enter")

    def key(self, *names):
        self.tmux("send-keys", "-t", "person", *names)

    def status(self):
        """The status that the program ended with."""
        program.until(lambda: self.status_file.exists() and self.status_file.read_text().strip(), "the program has ended")
        return int(self.status_file.read_text())
