"""Two agents for one client: a killed leader, a frozen one, and a copy of one with the same token."""

import contextlib
import datetime
import random
import threading
import time
from collections import Counter

import program
from evidence import Evidence
from machine import Machine, SETTINGS, ask
from office import Office
from world import APP, SECOND_APP, TENANT, World, new_password

NAMES = [f"user{number}" for number in range(8)]
WATCHED = "watched"
# The vault's lease without a heartbeat, and the longest that a write of its holder may be under way.
LEASE, WRITE = 120, 60
# Heartbeats, polls and a busy machine.
SLACK = program.PATIENCE
# A write whose stamp proves nothing takes two minutes.
SETTLED_WITHIN = 120 + SLACK


def run(report, arguments):
    chance = random.Random(arguments.seed)
    with contextlib.ExitStack() as stack:
        scenes = []
        for scene in [_killed, _frozen, _cloned]:
            stage = Stage(report, stack.enter_context(World()), random.Random(chance.random()))
            thread = threading.Thread(target=_play, args=(scene, stage), daemon=True)
            thread.start()
            scenes.append(thread)
        for thread in scenes:
            thread.join()


def _play(scene, stage):
    try:
        scene(stage)
    except Exception as error:
        stage.report.broken(f"{scene.__name__[1:]}: as a whole", error)


class Stage:
    """One client with its vault and tenant, and two machines."""

    def __init__(self, report, world, chance):
        self.report = report
        self.world = world
        self.chance = chance
        self.east = Machine(world, "east")
        self.west = Machine(world, "west")

    def open(self):
        world = self.world
        passwords = {name: new_password() for name in [*NAMES, WATCHED]}
        world.start_simulator(passwords)
        world.start_vault()
        world.login()
        client = world.add_client()["clients"][0]["id"]
        self.office = Office(world)
        self.office.hire(client, {name: passwords[name] for name in NAMES}, "enabled")
        self.office.hire(client, {WATCHED: passwords[WATCHED]}, "report_mismatches")

    def open_for_two(self):
        """Each machine with an enrolment of its own; the applications tell the simulator who writes."""
        self.open()
        self.east.enrol()
        self.west.enrol(client_id=SECOND_APP)

    def leads(self, machine):
        machine.start_and_listen()
        for name in NAMES:
            self.edit_and_wait(name)
        self.until_settled()

    def stands_by(self, machine):
        machine.start_and_listen()
        machine.waits_until_it_says("standing by", SLACK)

    def edit(self, name=None):
        self.office.edit(name or self.chance.choice(NAMES))

    def any_in_step(self):
        """An account whose next change in the vault is pushed at once. Stamps have whole seconds, so not in this one. An agent with
        an old memory tests the password first, so it is one of those with the most tests left for the day."""
        time.sleep(1)
        program.until(self.office.in_step, "an account is in step", SETTLED_WITHIN)
        failed = {name: self.failed_sign_ins(name) for name in self.office.in_step()}
        return self.chance.choice([name for name in failed if failed[name] == min(failed.values())])

    def edit_and_wait(self, name, patience=SLACK):
        self.edit(name)
        account = self.office.accounts[name]
        return program.until(lambda: self.office.entra_has(account), f"{name}'s new password is in Entra ID", patience)

    def until_settled(self):
        """Until nothing but a person or a day changes anything."""
        return self.office.wait_for_rest(SETTLED_WITHIN)

    def edit_for(self, seconds):
        """Passwords go on changing in the vault."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.edit()
            time.sleep(self.chance.uniform(0.2, 1.5))

    def succeeds(self, app):
        """Another application's first write since the leader's end, which is now: not before the lease is over, as the
        vault has it, and the longest write after that. Passwords change meanwhile."""
        began, over = _now(), self.lease_is_over()
        until = time.monotonic() + LEASE + WRITE + SLACK
        while time.monotonic() < until:
            written = [line["at"] for line in self.office.diary() if line["what"] == "write" and line["by"] == app]
            if written:
                first = _time(min(written))
                late = (first - over).total_seconds()
                assert late >= WRITE - 1, f"it wrote {late:.0f} s after the lease's end: too early"
                return f"after {(first - began).total_seconds():.0f} s, {late:.0f} s after the lease's end (the longest write: {WRITE} s)"
            self.edit()
            time.sleep(self.chance.uniform(0.5, 2))
        raise AssertionError(f"no write of the second agent within {LEASE + WRITE + SLACK} s")

    def lease_is_over(self):
        """When the leader's last heartbeat lets its lease end, by the vault's clock, which is this machine's."""
        [(until,)] = ask(self.world.vault_folder / "vault.db", "SELECT until FROM leases WHERE client = ?", self.office.client)
        over = _time(until)
        assert _now() < over, "the leader lost its lease before it was stopped"
        return over

    def fault(self, method, path, **more):
        self.world.sim("POST", "faults", {"path_prefix": path, "method": method} | more)

    def struck(self):
        return self.world.counters()["faults"]

    def failed_sign_ins(self, name):
        lines = [line for line in self.office.diary() if line["user_principal_name"].startswith(f"{name}@")]
        return sum(line["what"] == "sign_in" and line["code"] == 50126 for line in lines)

    def evidence(self, how, reigns):
        """The rules that hold always, and who wrote after whom."""
        self.report.note(f"{how}: looking back")
        evidence = Evidence(self.office, [self.east, self.west])
        evidence.check(self.report, how)
        with self.report.case(f"{how}: one agent writes at a time") as says:
            names = {APP: "east", SECOND_APP: "west"}
            seen = [names[reign[0]] for reign in evidence.reigns()]
            assert seen == reigns, evidence.reigns()
            says(", then ".join(f"{names[by]} {count} writes" for by, _, _, count in evidence.reigns()))
        with self.report.case(f"{how}: every account has the vault's password, or the vault says why not") as says:
            counted = Counter(evidence.endings().values())
            says(", ".join(f"{count} × {ending}" for ending, count in counted.most_common()))


def _now():
    return datetime.datetime.now(datetime.timezone.utc)


def _time(text):
    """Whole microseconds are enough, and all that Python understands."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}+00:00")


def _killed(stage):
    how = "killed leader"
    stage.open_for_two()
    report, office, east, west = stage.report, stage.office, stage.east, stage.west
    with report.case(f"{how}: the second agent stands by while passwords change") as says:
        stage.leads(east)
        stage.stands_by(west)
        stage.edit_for(10)
        says(west.agent.logged().strip().splitlines()[-1].split("standing by: ")[-1])
    with report.case(f"{how}: the first one spends the day's sign-in tests of an account") as says:
        for tests in [1, 2]:
            stage.edit(WATCHED)
            program.until(lambda: stage.failed_sign_ins(WATCHED) == tests, f"{tests} failed sign-ins")
        says("2 failed sign-ins")
    with report.case(f"{how}: killed in the middle of a write, it is succeeded") as says:
        name = stage.any_in_step()
        before = stage.struck()
        stage.fault("PATCH", "/v1.0/users", delay="3s", when="after")
        stage.edit(name)
        program.until(lambda: stage.struck() > before, "a write is under way")
        east.kill()
        says(stage.succeeds(SECOND_APP))
    with report.case(f"{how}: started again, the first one stands by and the successor goes on") as says:
        stage.stands_by(east)
        stage.edit(WATCHED)
        stage.edit_for(10)
        program.until(lambda: WATCHED in office.at_rest(), "the successor told of the last change")
        assert stage.failed_sign_ins(WATCHED) == 2, "the successor tested once more"
        says(f"still 2 failed sign-ins of {WATCHED}@{TENANT}, after 3 versions in two agents")
    with report.case(f"{how}: when the successor ends cleanly, the first one is back with its old memory") as says:
        name = stage.any_in_step()
        west.stop()
        waited = stage.edit_and_wait(name, WRITE + SLACK)
        stage.edit_for(5)
        stage.until_settled()
        says(f"its first write {waited:.0f} s later, without waiting for the lease's end")
    stage.evidence(how, ["east", "west", "east"])


def _frozen(stage):
    how = "frozen leader"
    stage.open_for_two()
    report, office, east, west = stage.report, stage.office, stage.east, stage.west
    with report.case(f"{how}: frozen for moments, it loses nothing") as says:
        stage.leads(east)
        stage.stands_by(west)
        for _ in range(5):
            east.freeze()
            stage.edit()
            time.sleep(stage.chance.uniform(0.2, 1.5))
            east.thaw()
            time.sleep(stage.chance.uniform(0, 1))
        says(f"5 times; settled {stage.until_settled():.0f} s later")
    name = stage.any_in_step()
    with report.case(f"{how}: frozen between two requests of one write, for longer than its lease, it is succeeded") as says:
        # A refused token makes the agent ask for another one, and then send the write again.
        before = stage.struck()
        stage.fault("POST", f"/{TENANT}/oauth2", delay="3s")
        stage.fault("PATCH", "/v1.0/users", status=401)
        stage.edit(name)
        stale = office.accounts[name].version
        program.until(lambda: stage.struck() >= before + 2, "it waits for the token of its write")
        east.freeze()
        stage.edit(name)
        says(stage.succeeds(SECOND_APP))
    with report.case(f"{how}: awake again, it does not send the write that it was about to send") as says:
        program.until(lambda: office.entra_has(office.accounts[name]), "the newer password is in Entra ID")
        east.thaw()
        east.waits_until_it_says("standing by", SLACK)
        stage.edit_for(10)
        told = [entry["why"] for entry in east.journal() if _is_outcome_of(entry, office.accounts[name], stale)]
        waited = stage.until_settled()
        assert told, "its journal says nothing of it"
        says(f"{told[-1]}; it stands by; settled {waited:.0f} s after the last change")
    stage.evidence(how, ["east", "west"])


def _is_outcome_of(entry, account, version):
    of_it = (entry["credential"], entry["version"]) == (account.credential["id"], version)
    return of_it and (entry["step"], entry["phase"]) == ("push", "outcome")


def _cloned(stage):
    how = "cloned agent"
    stage.open()
    report, east, west = stage.report, stage.east, stage.west
    east.enrol()
    with report.case(f"{how}: a second process on the same state file is refused") as says:
        stage.leads(east)
        arguments = ["--config", east.config, "run", "--listen", "127.0.0.1:0"]
        second = stage.world.run("passportal-agent", *arguments, **SETTINGS)
        assert second.status == 1 and "in use" in second.stderr and f"pid {east.agent.pid}" in second.stderr, str(second)
        says(next(line for line in second.stderr.splitlines() if line.startswith("error: ")))
    with report.case(f"{how}: a copy of its files, its token among them, stands by") as says:
        east.stop()
        west.clone(east)
        # All the same but the application, by which the simulator tells who writes.
        west.config.write_text(west.config.read_text().replace(APP, SECOND_APP))
        east.start_and_listen()
        stage.edit_and_wait(stage.any_in_step())
        stage.stands_by(west)
        stage.edit_for(15)
        says(west.agent.logged().strip().splitlines()[-1].split("standing by: ")[-1])
    with report.case(f"{how}: a copy that ends, however it ends, frees nothing") as says:
        west.stop()
        stage.stands_by(west)
        west.kill()
        stage.stands_by(west)
        stage.edit_for(5)
        says("it stands by again")
    with report.case(f"{how}: the agent that is killed and started again goes on at once") as says:
        name = stage.any_in_step()
        east.kill()
        east.start_and_listen()
        says(f"its next write {stage.edit_and_wait(name):.1f} s later")
    with report.case(f"{how}: killed for good, it is succeeded by its copy with an old memory") as says:
        east.kill()
        says(stage.succeeds(SECOND_APP))
        stage.edit_for(5)
        stage.until_settled()
    stage.evidence(how, ["east", "west"])
