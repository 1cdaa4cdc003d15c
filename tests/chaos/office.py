"""A person who works with the vault all day, and the users who change their own passwords: what both did is written down."""

import hashlib
import http.client
import json
import threading
import time
import urllib.error
import urllib.request

from dashboard import Person, address, csrf
from world import TENANT, new_password, upn


class SignedOut(Exception):
    """The vault started anew, and its sessions at the dashboard are over."""


# Words of an Unknown that ends by itself within minutes.
PASSING = ["spreading through", "did not answer", "slow down"]
LOST = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, SignedOut)


def digest(password):
    return hashlib.sha256(password.encode()).hexdigest()


class Account:
    """What the vault holds for one account, version by version."""

    def __init__(self, name, mode, password):
        self.name = name
        self.mode = mode
        self.credential = None
        self.passwords = [password]
        # Sent to a vault that died: perhaps it has it, perhaps not.
        self.unsure = None
        self.own_changes = 0

    @property
    def version(self):
        return len(self.passwords)

    @property
    def password(self):
        return self.passwords[-1]

    def version_of(self, password_digest):
        """The version with this password; none when the vault never held it."""
        known = [digest(password) for password in self.passwords]
        return known.index(password_digest) + 1 if password_digest in known else None


class Office:
    def __init__(self, world):
        self.world = world
        self.accounts = {}
        self.edits = 0
        self.lost_edits = 0
        self.own_changes = 0
        self.edited = threading.Event()
        self.editing = threading.Lock()
        self.sign_in()

    def sign_in(self):
        """One session at the dashboard, and the command line's session for looking."""
        self.person = Person(self.world)
        self.csrf = csrf(self.person.home)
        self.token = json.loads(self.world.session.read_text())["token"]

    # --- the vault

    def hire(self, client, passwords, mode):
        """New credentials of the client, each with its account's name and password."""
        self.client = client
        for name, password in passwords.items():
            fields = {"user_name": upn(name), "credential_type": "Azure/Office365 User", "password": password}
            self._post(f"/clients/{client}/credentials", fields)
            self.accounts[name] = Account(name, mode, password)
        for line in self.credentials():
            self.accounts[_name(line)].credential = line
        if mode != "enabled":
            for name in passwords:
                self._post(f"{address(self.accounts[name].credential)}/mode", {"mode": mode})

    def edit(self, name):
        """A new password in the vault. A vault that dies meanwhile leaves the person unsure."""
        account = self.accounts[name]
        with self.editing:
            account.unsure = new_password()
            try:
                page = self._change(account, account.unsure)
            except LOST:
                self.lost_edits += 1
                raise
            said = f"The password was changed to version {account.version + 1}."
            assert said in page, f"the vault did not say: {said}"
            self._took(account)

    def confirm(self, name):
        """A person's word that the vault's password is to be set."""
        account = self.accounts[name]
        page = self._post(f"{address(account.credential)}/confirm", {"version": str(account.version)})
        assert "Confirmed." in page, "the vault did not take the confirmation"

    def make_sure(self):
        """Looks whether the vault took what it was sent before it died."""
        with self.editing:
            versions = {line["user_name"]: line["version"] for line in self.credentials()}
            for account in self.accounts.values():
                if account.unsure and versions[upn(account.name)] == account.version + 1:
                    self._took(account)
                account.unsure = None
                assert versions[upn(account.name)] == account.version, f"{account.name}: the vault lost a version"

    def _took(self, account):
        account.passwords.append(account.unsure)
        account.unsure = None
        self.edits += 1
        self.edited.set()

    def _change(self, account, password):
        fields = {"version": str(account.version), "password": password}
        return self._post(f"{address(account.credential)}/password", fields)

    def _post(self, path, fields):
        page = self.person.post(path, fields | {"csrf": self.csrf})
        if 'action="/logout"' not in page:
            raise SignedOut
        return page

    def credentials(self):
        """The vault's word on every credential: version, flags, last result."""
        url = f"{self.world.vault}/api/v2/vault/clients/{self.client}/credentials"
        request = urllib.request.Request(url, headers={"x-access-token": self.token})
        with self.world.http.open(request, timeout=30) as answer:
            return json.loads(answer.read())["results"]

    def wait_for_rest(self, patience):
        """Until the agent has told of the newest version of every credential what nothing but a person or a day changes."""
        began = time.monotonic()
        while restless := [line for line in self.credentials() if not _is_at_rest(line)]:
            waited = time.monotonic() - began
            told = {_name(line): (line["version"], line["last_result"]) for line in restless}
            assert waited < patience, f"not at rest after {patience} s: {told}"
            time.sleep(0.2)
        return time.monotonic() - began

    def held(self):
        """Accounts whose password a person must confirm."""
        return [_name(line) for line in self.credentials() if "held" in line["flags"]]

    def at_rest(self):
        """Accounts of whose newest version the agent told what nothing but a person or a day changes."""
        return [_name(line) for line in self.credentials() if _is_at_rest(line)]

    def in_step(self):
        """Accounts in mode Enabled that have the vault's password, as the vault knows it."""
        lines = [line for line in self.credentials() if line["mode"] == "enabled" and _is_at_rest(line)]
        return [_name(line) for line in lines if line["last_result"]["outcome"] in ("pushed", "matched")]

    # --- the tenant

    def change_own(self, name, password=None):
        """A user changes their own password."""
        account = self.accounts[name]
        account.own_changes += 1
        self.own_changes += 1
        self.world.change_in_entra(name, password or new_password())

    def entra_has(self, account):
        return self.world.entra_has(account.name, account.password)

    def diary(self):
        diary = self.world.sim("GET", f"tenants/{TENANT}/diary")
        assert diary["forgotten"] == 0
        return diary["lines"]


def _name(line):
    return line["user_name"].split("@")[0]


def _is_at_rest(line):
    result = line["last_result"]
    if not result or result["version"] != line["version"] or result["outcome"] in ("unsettled", "failed"):
        return False
    return result["outcome"] != "unknown" or not any(words in result["why"] for words in PASSING)
