"""kill -9 of the agent at random moments, and of the vault at some, while passwords change on both sides."""

import contextlib
import math
import random
import threading
import time
from collections import Counter

import program
from evidence import Evidence, OpenSteps
from machine import Machine, ask
from office import LOST, Office
from world import TENANT, World, new_password

ENABLED = [f"user{number:02}" for number in range(80)]
REPORTED = [f"watched{number:02}" for number in range(10)]
# Somebody fights the vault over these, without end.
CONTESTED = set(ENABLED[:4])
# So many accounts get new passwords in the vault at a time; who had theirs comes to rest meanwhile.
IN_TURN = 20
# Where ten lives end, in an order by chance: at any moment, after a change, within a write, within a sign-in test.
MOMENTS = ["any"] * 3 + ["change"] * 2 + ["write"] * 4 + ["test"]
# Of all kills, so many are within a write at least; that is what the run is for. Every tenth aims at a sign-in test,
# so with fewer than twenty none may hit one.
LEAST_WITHIN_A_WRITE = 0.05
ENOUGH_FOR_A_TEST = 20
# How long it may take until a change leads to a request, and how many may not: an account can be out of tests.
REQUEST_WITHIN = 10
MOST_IN_VAIN = 0.5
# The vault is killed at each so many kills of the agent.
VAULT_EVERY = 20
TOKENS = f"/{TENANT}/oauth2"
WRITES = "/v1.0/users"
WITHIN_A_WRITE = "with a write between intent and outcome"
WITHIN_A_TEST = "with a sign-in test between intent and outcome"
AIMED, IN_VAIN = "aimed at a request", "of those in vain"
# Replication grace, and some.
QUIET_WITHIN = 240


def run(report, arguments):
    with World() as world:
        Run(report, world, random.Random(arguments.seed), arguments.kills).run()


class Run:
    def __init__(self, report, world, chance, kills):
        self.report = report
        self.world = world
        self.chance = chance
        self.kills = kills
        self.machine = Machine(world, "machine")
        self.figures = Counter()
        self.moments = []

    def run(self):
        passwords = {name: new_password() for name in ENABLED + REPORTED}
        self._set_up(passwords)
        changes = Changes(self.office, random.Random(self.chance.random()))
        changes.start()
        with self.report.case(f"the agent is killed {self.kills} times, and starts again each time") as says:
            for kill in range(self.kills):
                self._life(changes, kill)
            says(", ".join(f"{count} {what}" for what, count in self.figures.items()))
            self._must_have_hit()
        changes.end()
        with self.report.case("once nothing fails any more, the agent comes to rest") as says:
            self.world.sim("DELETE", "faults")
            self.machine.start_and_listen()
            says(f"after {self.office.wait_for_rest(QUIET_WITHIN):.0f} s")
        self._confirm()
        self._look_back()

    def _set_up(self, passwords):
        world = self.world
        world.start_simulator(passwords)
        world.start_vault()
        world.login()
        client = world.add_client()["clients"][0]["id"]
        self.office = Office(world)
        self.office.hire(client, {name: passwords[name] for name in ENABLED}, "enabled")
        self.office.hire(client, {name: passwords[name] for name in REPORTED}, "report_mismatches")
        self.machine.enrol()
        self.open_steps = OpenSteps(self.machine)

    # --- one life of the agent

    def _life(self, changes, number):
        changes.must_go_on(number / self.kills)
        self.machine.start()
        self._trouble()
        self._wait_for_a_moment()
        kills_vault = number % VAULT_EVERY == VAULT_EVERY - 1
        if kills_vault:
            self.world.server.kill()
            self.figures["kills of the vault"] += 1
            time.sleep(self.chance.uniform(0, 0.3))
        ended = self.machine.kill()
        assert ended is None, f"it ended by itself with {ended}: {self.machine.agent.logged()[-500:]}"
        self.figures["kills"] += 1
        left = self.open_steps.new()
        self.figures[WITHIN_A_WRITE] += bool(left["push"])
        self.figures[WITHIN_A_TEST] += bool(left["verify"])
        if kills_vault:
            self.world.start_vault(listen=self.world.vault.removeprefix("http://"))

    def _trouble(self):
        """Slow, failing and lost answers, a few at a time."""
        choice = self.chance.random()
        if choice < 0.25:
            self._fault(WRITES, "PATCH", delay=f"{self.chance.randrange(100, 900)}ms", count=3)
        elif choice < 0.4:
            self._fault(TOKENS, "POST", delay=f"{self.chance.randrange(50, 400)}ms", count=2)
        elif choice < 0.5:
            self._fault(WRITES, "PATCH")
        elif choice < 0.55:
            self._fault(WRITES, "PATCH", status=503)
        elif choice < 0.6:
            self._fault(WRITES, "GET", status=503)

    def _fault(self, path, method, **more):
        when = self.chance.choice(["before", "after"])
        self.world.sim("POST", "faults", {"path_prefix": path, "method": method, "when": when} | more)

    def _wait_for_a_moment(self):
        if not self.moments:
            self.moments = self.chance.sample(MOMENTS, len(MOMENTS))
        moment = self.moments.pop()
        if moment == "any":
            time.sleep(self.chance.uniform(0, 1.5))
        elif moment == "change":
            self.office.edited.clear()
            self.office.edited.wait(2)
            time.sleep(self.chance.uniform(0, 0.6))
        elif moment == "write":
            self._wait_for_a_slow_answer(WRITES, "PATCH", self._edit_what_is_in_step)
        else:
            self._wait_for_a_slow_answer(TOKENS, "POST", self._make_it_check)

    def _wait_for_a_slow_answer(self, path, method, change):
        self.world.sim("DELETE", "faults")
        reads = self.world.counters()["delta_reads"]
        program.until(lambda: self.world.counters()["delta_reads"] > reads, "the agent reads the directory")
        struck = self.world.counters()["faults"]
        self._fault(path, method, delay="600ms", count=8)
        change()
        self.figures[AIMED] += 1
        if not self._comes_in_time(lambda: self.world.counters()["faults"] > struck):
            self.figures[IN_VAIN] += 1
        time.sleep(self.chance.uniform(0, 0.5))

    def _comes_in_time(self, has_come):
        until = time.monotonic() + REQUEST_WITHIN
        while not has_come():
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True

    def _must_have_hit(self):
        """A run that never killed in the middle of anything has shown nothing."""
        figures = self.figures
        least = math.ceil(self.kills * LEAST_WITHIN_A_WRITE)
        assert figures[WITHIN_A_WRITE] >= least, f"{figures[WITHIN_A_WRITE]} kills within a write, and not {least}"
        if self.kills >= ENOUGH_FOR_A_TEST:
            assert figures[WITHIN_A_TEST], "no kill within a sign-in test"
        assert figures[IN_VAIN] <= figures[AIMED] * MOST_IN_VAIN, "most changes led to no request"

    def _edit_what_is_in_step(self):
        """Such a change is pushed at once."""
        names = self.office.in_step()
        # Where the vault has just come back, whoever makes the other changes signs in again.
        with contextlib.suppress(LOST):
            for name in self.chance.sample(names, min(len(names), self.chance.randint(1, 3))):
                self.office.edit(name)

    def _make_it_check(self):
        """A user who sets the vault's password themselves: only a sign-in test can tell."""
        names = self.office.in_step()
        if names:
            name = self.chance.choice(names)
            self.office.change_own(name, self.office.accounts[name].password)

    # --- afterwards

    def _confirm(self):
        with self.report.case("what is held is set, or found right, once a person confirms it") as says:
            held = self.office.held()
            for name in held:
                self.office.confirm(name)
            program.until(lambda: set(held) <= set(self.office.in_step()), "every one of them is in step")
            says(f"{len(held)} accounts")

    def _look_back(self):
        report, office = self.report, self.office
        evidence = Evidence(office, [self.machine])
        evidence.check(report, "kill -9")
        with report.case("nothing is lost: every account has the vault's password, or the vault says why not") as says:
            endings = evidence.endings()
            for mode, names in {"Enabled": ENABLED, "Report mismatches": REPORTED}.items():
                counted = Counter(endings[name] for name in names)
                says(f"{mode}: " + ", ".join(f"{count} × {ending}" for ending, count in counted.most_common()))
        with report.case("nothing more is written once all is quiet") as says:
            before = self.world.writes()
            time.sleep(3)
            assert self.world.writes() == before
            says(f"{before} writes in all, {self.world.counters()['sign_ins']} sign-in tests, "
                 f"{office.edits} changes in the vault, {office.own_changes} by users")
        with report.case("agent and vault end with status 0, and both files are whole") as says:
            self.machine.stop()
            self.world.server.stop()
            for database in [self.machine.state, self.world.vault_folder / "vault.db"]:
                found = ask(database, "PRAGMA integrity_check")
                assert found == [("ok",)], f"{database}: {found}"
            says(f"{self.machine.starts} starts, no lock in the way of one; PRAGMA integrity_check says ok to both")


class Changes(threading.Thread):
    """People and users who change passwords all the time."""

    def __init__(self, office, chance):
        super().__init__(daemon=True)
        self.office = office
        self.chance = chance
        self.ending = threading.Event()
        self.progress = 0.0
        self.error = None
        # One change of their own for some users, so that few accounts run out of sign-in tests.
        self.patience = {name: 1 if self.chance.random() < 0.25 else 0 for name in ENABLED}
        self.patience |= {name: 10**6 for name in CONTESTED | set(REPORTED)}

    def run(self):
        try:
            while not self.ending.wait(self.chance.uniform(0.05, 0.4)):
                self._change()
        except Exception as error:
            self.error = error

    def must_go_on(self, progress):
        """How much of the run is over. Fails when the changes have ended."""
        self.progress = progress
        if self.error:
            raise self.error

    def end(self):
        self.ending.set()
        self.join()
        self.must_go_on(1.0)
        self.office.sign_in()
        self.office.make_sure()

    def _change(self):
        if self.chance.random() < 0.85:
            self._edit()
        else:
            self._change_own()

    def _edit(self):
        first = int(self.progress * (len(ENABLED) - IN_TURN))
        in_turn = ENABLED[first : first + IN_TURN]
        name = self.chance.choice(in_turn if self.chance.random() < 0.85 else REPORTED)
        times = 1 if self.chance.random() < 0.85 else self.chance.randint(2, 4)
        try:
            for _ in range(times):
                self.office.edit(name)
        except LOST:
            self._wait_for_the_vault()

    def _wait_for_the_vault(self):
        while True:
            if self.ending.wait(0.2):
                return
            try:
                self.office.sign_in()
                return self.office.make_sure()
            except LOST:
                continue

    def _change_own(self):
        name = self.chance.choice([name for name, left in self.patience.items() if left])
        self.patience[name] -= 1
        passwords = self.office.accounts[name].passwords
        choice = self.chance.random()
        if choice < 0.2:
            self.office.change_own(name, passwords[-1])
        elif choice < 0.3:
            self.office.change_own(name, passwords[max(0, len(passwords) - 2)])
        else:
            self.office.change_own(name)
