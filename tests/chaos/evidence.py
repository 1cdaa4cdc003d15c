"""What the simulator's diary, the agents' journals and the vault say together: the rules that no run may break."""

import datetime
from collections import Counter, defaultdict

from world import TENANT, upn

# Rules of the decision table, as the journal words them: design §4 allows a write without a check then.
WITHOUT_A_CHECK = ["changed in the vault; the password cannot be checked first", "a person confirmed this password"]
# Between the reading of the directory that a write was planned with, and its effect.
MEANWHILE = datetime.timedelta(seconds=5)
WRONG_PASSWORD, LOCKED = 50126, 50053
# What the vault says of a credential that nothing more happens to by itself.
STATED = {"held", "blocked", "unknown"}


class Evidence:
    def __init__(self, office, machines):
        self.office = office
        self.machines = machines
        self.by_user = defaultdict(list)
        for line in office.diary():
            self.by_user[line["user_principal_name"].split("@")[0]].append(line)
        self.journal = {machine.name: machine.journal() for machine in machines}

    def check(self, report, how):
        """Every rule that holds whatever happened."""
        with report.case(f"{how}: never an older version after a newer one, nor a password that was never the vault's") as says:
            says(self._order())
        with report.case(f"{how}: nothing is written twice without need") as says:
            says(self._needless())
        with report.case(f"{how}: nothing is written in Report mismatches") as says:
            says(self._report_mismatches())
        with report.case(f"{how}: the journal has an intent for every write and every sign-in test") as says:
            says(self._journaled())
        with report.case(f"{how}: nobody is locked out, and the budget of failed sign-ins holds") as says:
            says(self._sign_ins())

    # --- the rules

    def _order(self):
        writes = 0
        for name, lines in self.by_user.items():
            newest = 0
            for line in self._writes(lines):
                version = self.office.accounts[name].version_of(line["password"])
                assert version is not None, f"{name}: a password was written that the vault never held: {line}"
                assert version >= newest, f"{name}: version {version} was written after {newest}, at {line['at']}"
                newest = version
                writes += 1
        return f"{writes} writes, 0 stale"

    def _needless(self):
        """A password that the account had already."""
        writes, explained, unexplained = 0, [], []
        for name, lines in self.by_user.items():
            for line in self._writes(lines):
                writes += 1
                if line["had_it"]:
                    version = self.office.accounts[name].version_of(line["password"])
                    intent = self._intent(name, "push", version, line["at"])
                    why = self._explanation(intent, lines, line)
                    known = f"{name} version {version} at {line['at']}: {why or intent}"
                    (explained if why else unexplained).append(known)
        assert not unexplained, unexplained
        return f"{writes} writes, {len(explained)} of a password that was there already" + "".join(
            f"; explained: {line}" for line in explained
        )

    def _explanation(self, intent, lines, write):
        """Why a password was written that was there already; none where nothing explains it."""
        if intent["why"] in WITHOUT_A_CHECK:
            return intent["why"]
        before = [line for line in lines if line["at"] < write["at"]]
        changed, tested = _last(before, "change"), _last(before, "sign_in")
        # Whoever plans a write knows of everything until its stamp, which has whole seconds; a write takes its time.
        stamp = (intent["stamp"] or "")[:19]
        was_unknown = changed[:19] > stamp or (changed[:19] == stamp and changed > tested)
        if was_unknown and _time(write["at"]) - _time(changed) < MEANWHILE:
            return "the user set the vault's password while it was on its way"
        return None

    def _report_mismatches(self):
        reported = [it for it in self.office.accounts.values() if it.mode != "enabled"]
        written = [it.name for it in reported if any(True for _ in self._writes(self.by_user[it.name]))]
        assert not written, written
        return f"{len(reported)} accounts, 0 writes"

    def _journaled(self):
        counted = Counter()
        for name, lines in self.by_user.items():
            for line in lines:
                step = {"write": "push", "sign_in": "verify"}.get(line["what"])
                if step:
                    version = self.office.accounts[name].version_of(line["password"])
                    assert self._intent(name, step, version, line["at"]), f"{name}: no intent before {line}"
                    counted[step] += 1
        return f"{counted['push']} writes, {counted['verify']} sign-in tests"

    def _sign_ins(self):
        failed, most = 0, 0
        for name, lines in self.by_user.items():
            codes = [line["code"] for line in lines if line["what"] == "sign_in"]
            assert LOCKED not in codes, f"{name} was locked"
            wrong = [line for line in lines if line["what"] == "sign_in" and line["code"] == WRONG_PASSWORD]
            assert len(wrong) <= 2, f"{name}: {len(wrong)} failed sign-ins within this day"
            failed, most = failed + len(wrong), max(most, len(wrong))
            self._once_for_each_stamp(name, wrong)
            shown = self.office.world.sim("GET", f"tenants/{TENANT}/users/{upn(name)}")
            assert not shown["locked"], f"{name} is locked"
        return f"{failed} failed sign-ins, at most {most} for an account and day, 0 lockouts"

    def _once_for_each_stamp(self, name, wrong):
        """By the stamp that the agent knew: a user may have changed the password a moment before the test."""
        tested = set()
        for line in wrong:
            version = self.office.accounts[name].version_of(line["password"])
            tests = (version, self._intent(name, "verify", version, line["at"])["stamp"])
            assert tests not in tested, f"{name}: version {version} failed twice at one stamp, at {line['at']}"
            tested.add(tests)

    # --- how it ended

    def endings(self):
        """How each account ended, in words, by account. Fails for one that ended in no way that is allowed."""
        vault = {line["user_name"].split("@")[0]: line for line in self.office.credentials()}
        return {name: self._ending(account, vault[name]) for name, account in self.office.accounts.items()}

    def _ending(self, account, line):
        result = line["last_result"]
        same = self.office.entra_has(account)
        said = f"{result['outcome']}: {result['why']}"
        at = f"{account.name} ({account.mode}) at version {account.version}"
        assert line["version"] == account.version, f"{at}: the vault has {line['version']}"
        assert result["version"] == account.version, f"{at}: nothing was told since version {result['version']}"
        flags = set(line["flags"])
        if result["outcome"] in ("pushed", "matched"):
            if not same and self._changed_in_the_second_of_a_write(account.name):
                return "another password, which its user set in the very second of the write: stamps have whole seconds"
            assert same, f"{at}: the vault says {said}, but Entra ID has another password"
            assert not flags, f"{at}: {said}, and flagged {flags}"
            return "the vault's password"
        if result["outcome"] == "mismatched":
            assert account.mode != "enabled" and not same, f"{at}: {said}, and it is {same} that both agree"
            assert flags == {"ad_change"}, f"{at}: {said}, and flagged {flags}"
            return "a mismatch that is flagged"
        assert result["outcome"] in STATED, f"{at}: {said}"
        assert result["outcome"] == "unknown" or result["outcome"] in flags, f"{at}: {said}, and flagged {flags}"
        return f"{said} (Entra ID has {'the same' if same else 'another'})"

    def _changed_in_the_second_of_a_write(self, name):
        write, change = (_last(self.by_user[name], what) for what in ["write", "change"])
        return write[:19] == change[:19] and write < change

    # --- the journals

    def _writes(self, lines):
        return (line for line in lines if line["what"] == "write")

    def _intent(self, name, step, version, at):
        """The last intent before something that the simulator saw."""
        credential = self.office.accounts[name].credential["id"]
        fits = [
            entry
            for entries in self.journal.values()
            for entry in entries
            if (entry["credential"], entry["step"], entry["phase"], entry["version"])
            == (credential, step, "intent", version)
            and entry["at"] <= at
        ]
        return max(fits, key=lambda entry: entry["at"], default=None)

    def reigns(self):
        """Who wrote, in order, as [application, first write, last write, writes]: one line as long as nobody else did."""
        reigns = []
        writes = (line for lines in self.by_user.values() for line in self._writes(lines))
        for line in sorted(writes, key=lambda line: line["at"]):
            if not reigns or reigns[-1][0] != line["by"]:
                reigns.append([line["by"], line["at"], line["at"], 0])
            reigns[-1][2] = line["at"]
            reigns[-1][3] += 1
        return reigns


def _last(lines, what):
    """When something happened for the last time; an empty text when it never did."""
    return max((line["at"] for line in lines if line["what"] == what), default="")


def _time(text):
    return datetime.datetime.fromisoformat(text[:19])


class OpenSteps:
    """Steps that were begun and not finished, as the journal of one machine shows them."""

    def __init__(self, machine):
        self.machine = machine
        self.seen = 0
        self.found = set()

    def new(self):
        """The kinds of those that came up since the last look."""
        begun = {}
        for entry in self.machine.journal(self.seen):
            self.seen = entry["sequence"]
            key = (entry["cycle"], entry["credential"], entry["step"])
            if entry["phase"] == "intent":
                begun[key] = entry["step"]
            else:
                begun.pop(key, None)
        new = {key: kind for key, kind in begun.items() if key not in self.found}
        self.found |= set(new)
        return Counter(new.values())
