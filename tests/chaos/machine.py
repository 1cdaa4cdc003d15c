"""A machine with an agent on it: a folder of its own with configuration, state and secrets."""

import contextlib
import json
import shutil
import signal
import sqlite3
import time

import program

# The breaker has tests of its own; here many passwords change within minutes.
SETTINGS = {"PASSPORTAL_SYNC__INTERVAL": "1s", "PASSPORTAL_SYNC__BREAKER_MINIMUM": "1000000"}


class Machine:
    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.folder = world.folder / name
        self.config = self.folder / "config.toml"
        self.state = self.folder / "state.db"
        self.agent = None
        self.starts = 0

    def enrol(self, **instead):
        """Sets it up with an agent token of its own."""
        self.folder.mkdir(mode=0o700)
        options = self.world.setup_options(state_url=f"sqlite://{self.state}", **instead)
        self.world.done("setup", *options, config=self.config)

    def clone(self, original):
        """Everything of another machine, as a careless copy of its disk has it: the token, too."""
        shutil.copytree(original.folder, self.folder)
        config = self.config.read_text()
        assert str(original.folder) in config
        self.config.write_text(config.replace(str(original.folder), str(self.folder)))

    def start(self):
        self.starts += 1
        self.said_before = len(self.agent.logged()) if self.agent else 0
        self.agent = self.world.start(
            "passportal-agent", "run", "--config", self.config, "--listen", "127.0.0.1:0", "--log", "info",
            log=self.name, **SETTINGS,
        )

    def start_and_listen(self):
        self.start()
        return self.agent.address()

    def kill(self):
        """SIGKILL; returns its status when it had ended by itself before."""
        ended = self.agent.process.poll()
        self.agent.kill()
        return ended

    def freeze(self):
        self.agent.process.send_signal(signal.SIGSTOP)
        return time.monotonic()

    def thaw(self):
        self.agent.process.send_signal(signal.SIGCONT)

    def stop(self):
        return self.agent.stop()

    def waits_until_it_says(self, text, patience):
        said = lambda: text in self.agent.logged()[self.said_before :]
        return program.until(said, f"{self.name} says: {text}", patience)

    def journal(self, after=0):
        """Lines of the journal, each with its place in it, from behind a place on."""
        query = "SELECT sequence, entry FROM journal WHERE sequence > ? ORDER BY sequence"
        lines = ask(self.state, query, after) if self.has_a_journal() else []
        return [json.loads(entry) | {"sequence": sequence} for sequence, entry in lines]

    def has_a_journal(self):
        """An agent that was killed at once may not have made it yet."""
        tables = "SELECT 1 FROM sqlite_master WHERE name = 'journal'"
        return self.state.exists() and bool(ask(self.state, tables))


def ask(database, query, *parameters):
    """Rows of an SQLite file, which is only read."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        return connection.execute(query, parameters).fetchall()
