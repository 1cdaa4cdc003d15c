"""What a refusal must look like: one error, one hint, the right status, no secret, and nothing half-written."""

import contextlib
import hashlib
import sqlite3

FAILED, USAGE, NOT_AUTHORISED = 1, 2, 5
TRACES = ["panicked at", "stack backtrace", "RUST_BACKTRACE"]


def refused(result, status, *words, secrets=()):
    """Insists on a refusal with these words in it; returns its error line."""
    assert result.status == status, f"status {status} expected; {result}"
    assert result.stdout == "", f"something on standard output: {result}"
    lines = result.stderr.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    hints = [line for line in lines if line.startswith("hint: ")]
    assert len(errors) == 1, f"one error line expected: {result}"
    if status == USAGE:
        # The usage is told by the parser of the command line, with its own hint.
        assert "--help" in result.stderr, f"no hint at --help: {result}"
    else:
        assert len(hints) == 1, f"one hint expected: {result}"
        assert lines == errors + hints, f"more than the error and its hint: {result}"
    for word in words:
        assert word in result.stderr, f"`{word}` expected: {result}"
    for trace in TRACES:
        assert trace not in result.stderr, f"a backtrace: {result}"
    for secret in secrets:
        assert not secret or secret not in result.stderr, f"a secret is shown by `{' '.join(result.command)}`"
    return " / ".join(errors + hints)


def fingerprint(*places):
    """Every file under these places with its mode and content; a place may be missing."""
    files = []
    for place in places:
        files += [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    return {str(file): (oct(file.stat().st_mode), hashlib.sha256(file.read_bytes()).hexdigest()) for file in files}


def stored(vault_folder):
    """What the vault holds: its clients, credentials with their versions, and agents that are not revoked."""
    with contextlib.closing(sqlite3.connect(f"file:{vault_folder / 'vault.db'}?mode=ro", uri=True)) as database:
        clients = database.execute("SELECT name, sync FROM clients ORDER BY name").fetchall()
        credentials = database.execute("SELECT user_name, version, sealed FROM credentials ORDER BY id").fetchall()
        agents = database.execute("SELECT id FROM agents WHERE revoked IS NULL ORDER BY id").fetchall()
    return clients, credentials, agents


@contextlib.contextmanager
def nothing_changes(world):
    """Insists that configuration, secrets, session and vault are afterwards what they were, and Entra ID, too."""

    def look():
        agent = [path for path in (world.folder / "agent").glob("*") if not path.name.startswith("state.db")]
        writes = world.writes() if hasattr(world, "entra") else 0
        return fingerprint(*agent, world.folder / "person"), stored(world.vault_folder), writes

    before = look()
    yield
    after = look()
    assert after == before, f"something was left behind or changed: {before} became {after}"
