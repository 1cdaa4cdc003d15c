"""A PostgreSQL server of Debian's package, started for a while: own data, own port, loopback only."""

import glob
import os
import pathlib
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time

USER = "tester"
PATIENCE = 60
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "password_encryption": "scram-sha-256",
    "max_connections": "60",
    "shared_buffers": "32MB",
    # What is tried here survives the death of every process, not a power cut.
    "fsync": "off",
    "full_page_writes": "off",
    "ssl": "on",
    "ssl_cert_file": "server.pem",
    "ssl_key_file": "server.key",
}


class Server:
    """Use it in a `with`; its folder is gone at the end."""

    def __init__(self):
        self.programs = _programs()
        # PostgreSQL refuses to run as root.
        self.owner = "postgres" if os.geteuid() == 0 else None
        self.password = secrets.token_hex(16)
        self.process = None

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="passportal-postgres-"))
        try:
            self._prepare()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            if self.process:
                self.stop("immediate")
        finally:
            shutil.rmtree(self.folder)

    @property
    def data(self):
        return self.folder / "data"

    @property
    def authority(self):
        return self.folder / "ca.pem"

    def url(self, database="postgres"):
        """Without the password."""
        return f"postgres://{USER}@127.0.0.1:{self.port}/{database}"

    def url_with_password(self, database="postgres"):
        return self.url(database).replace("@", f":{self.password}@", 1)

    def start(self):
        log = open(self.folder / "log", "ab")
        command = [self.programs / "postgres", "-D", self.data, "-p", str(self.port), "-k", self.data]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        self.process = self._spawn(command, stdout=log, stderr=log)
        log.close()
        began = time.monotonic()
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() - began > PATIENCE:
                self._give_up()
            time.sleep(0.05)

    def stop(self, how="fast"):
        """`fast` as an administrator stops it, `immediate` as a power cut does."""
        self._run("pg_ctl", "-D", self.data, "-m", how, "-w", "-t", str(PATIENCE), "stop")
        self.process.wait(PATIENCE)
        self.process = None

    def _give_up(self):
        """There is nothing that could be stopped in good order, and that is not what has to be told."""
        self.process.kill()
        self.process.wait()
        self.process = None
        sys.exit(f"error: PostgreSQL does not start: {(self.folder / 'log').read_text()[-2000:]}")

    def sql(self, statement, database="postgres", user="admin"):
        """What `psql` prints; by the superuser, over the socket."""
        return self._run(
            "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.data, "-p", str(self.port),
            "-U", user, "-d", database, "-c", statement,
        ).strip()

    def _prepare(self):
        self.port = _free_port()
        if self.owner:
            shutil.chown(self.folder, self.owner)
        self._run("initdb", "-D", self.data, "-U", "admin", "--auth-local=trust", "--auth-host=scram-sha-256",
                  "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        _certify(self.folder, self.data)
        for path in [self.data / "server.pem", self.data / "server.key", self.authority]:
            if self.owner:
                shutil.chown(path, self.owner)
        self.folder.chmod(0o755)
        self.start()
        self.sql(f"CREATE ROLE {USER} LOGIN CREATEDB PASSWORD '{self.password}'")
        self.stop()

    def _answers(self):
        ready = [self.programs / "pg_isready", "-q", "-h", self.data, "-p", str(self.port)]
        return subprocess.run(ready, stdin=subprocess.DEVNULL).returncode == 0

    def _run(self, program, *arguments):
        command = [self.programs / program, *arguments]
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, **self._as_owner()
        )
        if ended.returncode != 0:
            raise AssertionError(f"{program} failed: {ended.stderr.strip() or ended.stdout.strip()}")
        return ended.stdout

    def _spawn(self, command, **files):
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **files, **self._as_owner())

    def _as_owner(self):
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        extra = {"cwd": self.folder, "env": environment}
        if self.owner:
            extra |= {"user": self.owner, "group": pwd.getpwnam(self.owner).pw_gid, "extra_groups": []}
        return extra


def _programs():
    """Debian keeps each version's programs in a folder of their own; the newest wins."""
    folders = [pathlib.Path(path).parent for path in glob.glob("/usr/lib/postgresql/*/bin/initdb")]
    if folders:
        return max(folders, key=lambda folder: float(folder.parent.name))
    elsewhere = shutil.which("initdb")
    if not elsewhere:
        sys.exit("error: there is no PostgreSQL server on this machine\nhint: apt-get install postgresql")
    return pathlib.Path(elsewhere).resolve().parent


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _certify(folder, data):
    """An authority, and a certificate of its for `localhost`."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, stdin=subprocess.DEVNULL)

    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    ca_key, ca = folder / "ca.key", folder / "ca.pem"
    openssl("req", "-x509", *ec, "-keyout", ca_key, "-out", ca, "-subj", "/CN=Test authority",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    key, certificate = data / "server.key", data / "server.pem"
    openssl("req", "-x509", *ec, "-keyout", key, "-out", certificate, "-subj", "/CN=localhost",
            "-CA", ca, "-CAkey", ca_key, "-addext", "subjectAltName=DNS:localhost",
            "-addext", "basicConstraints=critical,CA:FALSE")
    key.chmod(0o600)
    ca.chmod(0o644)
