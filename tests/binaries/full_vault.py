"""A vault whose disk is full, or whose files are damaged: it says so, changes nothing, and goes on when there is room."""

import json
import urllib.error

import program
from killed_vault import _call, _token
from small_disk import SmallDisk, is_possible
from world import World


def run(report):
    if not is_possible():
        report.note("left out: only root may mount a small disk")
        return
    with World() as world, SmallDisk(world.folder / "small", "4m") as disk:
        folder = disk.folder / "vault"
        made = world.run("passportal-server", "init", *world.init_options(folder))
        assert made.status == 0, str(made)
        _serve(world, folder)
        with report.case("a change on a full disk is refused with what to do, and what is there can be read") as says:
            says(_full(world, disk))
        with report.case("a server on a full disk ends with what to do, and serves when there is room") as says:
            says(_started_on_a_full_disk(world, disk, folder))
        with report.case("a damaged database is told in one line with a hint") as says:
            says(_damaged(world, folder))


def _serve(world, folder):
    world.server = world.start("passportal-server", "serve", "--data-dir", folder, "--listen", "127.0.0.1:0")
    world.vault = world.server.address()


def _full(world, disk):
    token = _token(world)
    (client,) = _call(world, token, "GET", "vault/clients")
    path = f"vault/clients/{client['id']}"
    disk.fill()
    failure = None
    for number in range(200):  # what SQLite has room for in its own files still goes
        try:
            _call(world, token, "PATCH", path, {"name": f"full-{number}"})
        except urllib.error.HTTPError as error:
            failure = json.loads(error.read())
            break
    assert failure and (failure["status"], failure["code"]) == (507, 5007), failure
    assert "disk is full" in failure["message"], failure
    (there,) = _call(world, token, "GET", "vault/clients")
    assert there["name"] != f"full-{number}", there
    disk.make_room()
    _call(world, token, "PATCH", path, {"name": "room"})
    (there,) = _call(world, token, "GET", "vault/clients")
    assert there["name"] == "room", there
    return failure["message"]


def _started_on_a_full_disk(world, disk, folder):
    assert world.server.stop() >= 0
    disk.fill()
    refused = world.run("passportal-server", "serve", "--data-dir", folder, "--listen", "127.0.0.1:0")
    said = refused.stderr.strip().splitlines()
    assert refused.status == 1 and said[-1].startswith("hint: ") and "full" in refused.stderr, str(refused)
    disk.make_room()
    _serve(world, folder)
    verified = world.run("passportal-server", "audit", "verify", "--data-dir", folder)
    assert verified.status == 0, str(verified)
    return said[0]


def _damaged(world, folder):
    assert world.server.stop() >= 0
    file = folder / "vault.db"
    whole = file.read_bytes()
    said = []
    for what, content in [("cut", whole[: len(whole) // 2]), ("no database", b"nonsense" * 500), ("empty", b"")]:
        _put(file, content)
        refused = world.run("passportal-server", "serve", "--data-dir", folder, "--listen", "127.0.0.1:0")
        lines = refused.stderr.strip().splitlines()
        assert refused.status == 1 and len(lines) == 2, f"{what}: {refused}"
        assert lines[0].startswith("error: ") and lines[1].startswith("hint: "), f"{what}: {refused}"
        said.append(f"{what}: {lines[0]}")
    _put(file, whole)
    _serve(world, folder)
    assert world.server.stop() >= 0
    return "; ".join(said)


def _put(file, content):
    """In place of the database, without what SQLite keeps beside it."""
    for beside in ["vault.db-wal", "vault.db-shm"]:
        (file.parent / beside).unlink(missing_ok=True)
    file.write_bytes(content)
