"""A restart never writes, a lost state file never writes, and Report mismatches never writes."""

import time

import program
from world import World, new_password, rows, upn


def run(report):
    for verification in ["allowed", "public_client_disabled"]:
        with World() as world:
            _restarts(report, world, verification)
    with World() as world:
        _report_mismatches(report, world)


def _restarts(report, world, verification):
    possible = verification == "allowed"
    how = "the sign-in test is possible" if possible else "the sign-in test is impossible"
    old, new = new_password(), new_password()
    world.enrol({"anna": old}, verification)
    with report.case(f"{how}: first contact writes nothing") as says:
        row = world.sync()["anna"]
        assert world.writes() == 0
        assert row["outcome"] == ("matched" if possible else {"held": {"unverifiable": "not_permitted"}}), row
        says(f"{row['outcome']}: {row['why']}")
    with report.case(f"{how}: a change in the vault is pushed") as says:
        world.set_password("anna", new)
        row = world.sync()["anna"]
        assert row["outcome"] == "pushed" and world.entra_has("anna", new) and world.writes() == 1, row
        says(f"{row['why']}; 1 write")
    with report.case(f"{how}: restarting the agent writes nothing") as says:
        for _ in range(2):
            _run_agent(world)
        assert world.writes() == 1, world.counters()
        says(f"after 2 restarts still {world.writes()} write")
    with report.case(f"{how}: deleting the state file writes nothing") as says:
        for left in world.state.parent.glob("state.db*"):
            left.unlink()
        _run_agent(world)
        assert world.writes() == 1, world.counters()
        flags = world.done("flags", "list")["flags"]
        kinds = [flag["kind"] for flag in flags]
        assert kinds == ([] if possible else ["held"]), flags
        row = rows(world.done("plan"))["anna"]
        says(f"still {world.writes()} write; flags {kinds}: {row['why']}")
    if not possible:
        with report.case(f"{how}: what is held is pushed when a person confirms it") as says:
            world.done("credentials", "confirm", upn("anna"))
            row = world.sync()["anna"]
            assert row["outcome"] == "pushed" and world.writes() == 2, row
            assert world.done("flags", "list")["flags"] == []
            says(f"{row['why']}; the flag is gone")


def _run_agent(world):
    """Lets the service have several cycles."""
    world.start_agent(interval="1s")
    time.sleep(3)
    world.agent.stop()


def _report_mismatches(report, world):
    old = {name: new_password() for name in ["anna", "ben"]}
    world.start_simulator(old)
    world.start_vault()
    world.login()
    world.add_client()
    world.add_credential("anna", new_password(), mode="report-mismatches")
    world.add_credential("ben", old["ben"], mode="report-mismatches")
    world.setup()
    with report.case("Report mismatches: a mismatch is flagged, and nothing is written") as says:
        world.start_agent(interval="1s")
        program.until(lambda: world.done("flags", "list")["flags"], "anna is flagged")
        world.set_password("ben", new_password())
        program.until(lambda: len(world.done("flags", "list")["flags"]) == 2, "ben is flagged")
        time.sleep(2)
        says(f"2 flags, {world.writes()} writes")
        assert world.writes() == 0 and world.entra_has("anna", old["anna"]) and world.entra_has("ben", old["ben"])
    with report.case("Report mismatches: the flag clears by itself once both agree, and nothing is written") as says:
        world.set_password("anna", old["anna"])
        waited = program.until(lambda: len(world.done("flags", "list")["flags"]) == 1, "anna's flag clears")
        assert world.writes() == 0
        world.agent.stop()
        failed = world.counters()["failed_sign_ins"]
        assert failed <= 4, f"{failed} failed sign-ins"
        says(f"after {waited:.1f} s; {failed} failed sign-ins in all")
