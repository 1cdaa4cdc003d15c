"""A vault that is killed while many write: no change that was acknowledged is lost, and a backup made meanwhile is whole."""

import json
import signal
import threading
import urllib.error
import urllib.request

import program
from world import ADMIN, World

WRITERS = 4
ROUNDS = 3
ENOUGH = 40


def run(report):
    with World() as world:
        for number in range(1, ROUNDS + 1):
            with report.case(f"kill -9 under write load, round {number}: every acknowledged change is there") as says:
                says(_round(world, number))
        with report.case("a backup made under write load restores to a whole vault") as says:
            says(_backup(world))


def _round(world, number):
    world.start_vault()
    writers = Writers(world, number)
    program.until(lambda: len(writers.acknowledged) >= ENOUGH, "enough changes are acknowledged")
    world.server.process.send_signal(signal.SIGKILL)
    writers.join()
    world.server.process.wait()
    world.start_vault()
    seen = _renames(world)
    lost = set(writers.acknowledged) - set(seen)
    assert not lost, f"{len(lost)} acknowledged changes are lost, for instance {min(lost)}"
    (client,) = _call(world, _token(world), "GET", "vault/clients")
    assert client["name"] == seen[-1], f"the client is called {client['name']}, the last change said {seen[-1]}"
    assert world.server.stop() >= 0
    verified = world.run("passportal-server", "audit", "verify", "--data-dir", world.vault_folder)
    assert verified.status == 0, str(verified)
    return f"{len(writers.acknowledged)} acknowledged; {verified.stdout.splitlines()[0]}"


def _backup(world):
    world.start_vault()
    writers = Writers(world, "backup")
    program.until(lambda: len(writers.acknowledged) >= ENOUGH, "enough changes are acknowledged")
    before = list(writers.acknowledged)
    file = world.folder / "backup"
    made = world.run("passportal-server", "backup", "--data-dir", world.vault_folder, "--to", file, "--with-server-key")
    assert made.status == 0, str(made)
    writers.stop()
    world.server.stop()
    world.vault_folder = world.folder / "restored"
    restored = world.run("passportal-server", "restore", "--from", file, "--data-dir", world.vault_folder)
    assert restored.status == 0, str(restored)
    world.server = world.start("passportal-server", "serve", "--data-dir", world.vault_folder, "--listen", "127.0.0.1:0")
    world.vault = world.server.address()
    seen = _renames(world)
    lost = set(before) - set(seen)
    assert not lost, f"the backup lacks {len(lost)} changes from before it, for instance {min(lost)}"
    world.server.stop()
    return f"{len(seen)} changes in it; {restored.stdout.splitlines()[0]}"


class Writers:
    """Each renames the company vault again and again, until it is stopped or nothing answers."""

    def __init__(self, world, name):
        self.acknowledged = []
        self.stopped = threading.Event()
        token = _token(world)
        (client,) = _call(world, token, "GET", "vault/clients")
        path = f"vault/clients/{client['id']}"
        self.threads = [
            threading.Thread(target=self._write, args=(world, token, path, f"{name}-{number}"))
            for number in range(WRITERS)
        ]
        for thread in self.threads:
            thread.start()

    def _write(self, world, token, path, name):
        number = 0
        while not self.stopped.is_set():
            number += 1
            try:
                _call(world, token, "PATCH", path, {"name": f"{name}-{number}"})
            except (urllib.error.URLError, OSError, json.JSONDecodeError):
                return
            self.acknowledged.append(f"{name}-{number}")

    def join(self):
        for thread in self.threads:
            thread.join(program.PATIENCE)

    def stop(self):
        self.stopped.set()
        self.join()


def _token(world):
    body = {"email": ADMIN, "password": world.secrets["admin-password"]}
    return _call(world, "", "POST", "auth/session", body)["access_token"]


def _renames(world):
    """The names that the audit trail knows of, in order."""
    said, last, names = "renamed a client to ", 0, []
    token = _token(world)
    while lines := _call(world, token, "GET", f"audit?after={last}&limit=1000"):
        last = lines[-1]["line"]
        names += [line["what"].removeprefix(said) for line in lines if line["what"].startswith(said)]
    return names


def _call(world, token, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", "x-access-token": token}
    request = urllib.request.Request(f"{world.vault}/api/v2/{path}", data, headers, method=method)
    with world.http.open(request, timeout=program.PATIENCE) as answer:
        return json.loads(answer.read())["results"]
