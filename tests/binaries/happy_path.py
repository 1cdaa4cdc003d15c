"""The path of one password, by the command line and by the service, plain and with TLS."""

import json
import time

import program
from world import CLIENT, World, new_password, rows, upn


def run(report):
    for tls in [False, True]:
        with World(tls=tls) as world:
            _path(report, world, "with TLS" if tls else "plain")


def _path(report, world, how):
    old = {name: new_password() for name in ["anna", "mia"]}
    with report.case(f"{how}: vault and tenant start, login, setup") as says:
        world.start_simulator(old)
        world.start_vault()
        scheme = "https" if world.certificates else "http"
        assert world.vault.startswith(f"{scheme}://127.0.0.1:") and world.entra.startswith(f"{scheme}://127.0.0.1:")
        world.login()
        world.add_client()
        world.add_credential("anna", old["anna"])
        world.add_credential("mia", new_password(), mode="report-mismatches")
        done = world.setup()
        assert done["client"] == CLIENT, done
        config = world.config.read_text()
        assert "client_secret_file" in config and world.secrets["app-secret"] not in config
        assert ("extra_ca" in config) == bool(world.certificates), config
        says(f"{world.vault}, {world.entra}; JSON of login, clients, credentials and setup parses")
    with report.case(f"{how}: passportal plan and status look and do nothing") as says:
        planned = rows(world.done("plan"))
        assert set(planned["anna"]["action"]) == {"verify"}, planned["anna"]["action"]
        status = world.done("status")
        assert world.counters()["sign_ins"] == 0 and world.writes() == 0
        says(f"anna would be checked; service {status['service']['is']}")
    with report.case(f"{how}: passportal sync --once checks, and writes nothing where both agree") as says:
        row = world.sync()
        assert row["anna"]["outcome"] == "matched" and row["mia"]["outcome"] == "mismatched", row
        assert world.writes() == 0
        says(f"anna {row['anna']['outcome']}, mia {row['mia']['outcome']}, 0 writes")
    with report.case(f"{how}: the flag is listed, and its exit status told") as says:
        (flag,) = world.done("flags", "list")["flags"]
        assert flag["user_name"] == upn("mia") and flag["kind"] == "ad_change", flag
        result = world.passportal("sync", "--once", "--exit-code")
        assert result.status == 3, str(result)
        (cleared,) = world.done("flags", "clear", upn("mia"))["cleared"]
        assert world.done("flags", "list")["flags"] == []
        says(f"{flag['flag']['why']}; sync --exit-code ended with 3")
    with report.case(f"{how}: a password changed in the vault is pushed by passportal sync --once") as says:
        changed = new_password()
        world.set_password("anna", changed)
        row = world.sync()["anna"]
        assert row["outcome"] == "pushed", row
        assert world.entra_has("anna", changed) and world.writes() == 1
        written = int(time.time())
        result = world.credential("anna")["last_result"]
        assert (result["outcome"], result["version"]) == ("pushed", 2), result
        says(f"{row['why']}; 1 write")
    with report.case(f"{how}: the tables are for people") as says:
        table = world.passportal("credentials", "list")
        assert table.status == 0 and upn("anna") in table.stdout, str(table)
        assert world.passportal("sync", "--once").status == 0
        says(f"{len(table.stdout.splitlines())} lines")
    with report.case(f"{how}: passportal-agent run pushes a change at once, by long poll") as says:
        world.start_agent(interval="45s")
        # Entra ID's stamps have seconds: two writes within one look like one, and the second stays unsettled.
        program.until(lambda: int(time.time()) > written, "the second of the last write is over")
        changed = new_password()
        began = time.monotonic()
        world.set_password("anna", changed)
        program.until(lambda: world.entra_has("anna", changed), "Entra ID has the new password")
        took = time.monotonic() - began
        program.until(lambda: world.credential("anna")["last_result"]["version"] == 3, "the vault knows")
        result = world.credential("anna")["last_result"]
        assert result["outcome"] == "pushed", result
        assert world.writes() == 2, world.writes()
        says(f"{took:.1f} s with the command that changed it; 2 writes in all")
    with report.case(f"{how}: /healthz, /readyz and /metrics answer, and status sees the service") as says:
        assert world.agent_says("healthz")[0] == 200 and world.agent_says("readyz")[0] == 200
        metrics = world.agent_says("metrics")[1]
        pushes = [line for line in metrics.splitlines() if line.startswith("passportal_agent_writes_total") and 'outcome="accepted"' in line]
        assert len(pushes) == 1 and pushes[0].endswith(" 1"), pushes
        status = world.done("status", PASSPORTAL_LISTEN__ADDRESS=world.endpoints.removeprefix("http://"))
        assert status["service"]["is"] == "ready" and status["state"]["is"] == "served", status
        says(json.dumps(status["service"]))
    with report.case(f"{how}: a change in Entra ID is flagged by the service, and nothing is written") as says:
        world.agent.stop()
        world.start_agent(interval="1s")
        world.change_in_entra("mia", new_password())
        waited = program.until(lambda: world.done("flags", "list")["flags"], "mia is flagged")
        assert world.writes() == 2
        says(f"flagged after {waited:.1f} s")
    with report.case(f"{how}: agent, vault and tenant end with status 0") as says:
        took = [server.stop() for server in (world.agent, world.server, world.simulator)]
        says(", ".join(f"{seconds:.2f} s" for seconds in took))
