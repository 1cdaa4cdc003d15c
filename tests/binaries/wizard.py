"""A new technician sets the agent up at a terminal, from nothing to a password that is pushed. With WALKTHROUGH=FILE the screens are kept there."""

import os
import pathlib
import time

import program
from terminal import Terminal
from world import ADMIN, APP, TENANT, World, new_password, upn


def run(report):
    with World() as world:
        _walk(report, world)


def _walk(report, world):
    old, new = new_password(), new_password()
    with report.case("the wizard leads from nothing to an agent that runs") as says:
        world.start_simulator({"anna": old})
        world.start_vault()
        world.login()
        world.add_client()
        world.add_credential("anna", old)
        command = [program.FOLDER / "passportal-agent", "--config", world.config, "setup", "--state-url", f"sqlite://{world.state}",
                   "--authority", world.entra, "--graph", world.entra]
        began = time.monotonic()
        with Terminal(world.folder, command, PASSPORTAL_LISTEN__ADDRESS="127.0.0.1:0", PASSPORTAL_SYNC__INTERVAL="2s",
                      NO_PROXY="localhost,127.0.0.1") as terminal:
            prompts = _answer(world, terminal)
            shown = terminal.wait_for("listening on http://")
            seconds = time.monotonic() - began
            for name in ["admin-password", "organization-key"]:
                assert world.secrets[name] not in shown, f"the {name} is on the screen"
            says(f"{prompts} prompts, {seconds:.0f} s of the machine's time")
            _keep(world, shown, prompts)
            _pushes(report, world, new)
            with report.case("Ctrl-C ends it cleanly") as ends:
                terminal.key("C-c")
                assert terminal.status() == 0, terminal.screen()
                ends("status 0")
    with report.case("a terminal that is closed in between leaves no agent behind") as says:
        agents = len(list((world.folder / "agent" / "secrets").iterdir()))
        other = world.folder / "other" / "config.toml"
        command = [program.FOLDER / "passportal-agent", "--config", other, "setup", "--state-url", f"sqlite://{other.parent}/state.db"]
        with Terminal(world.folder, command) as terminal:
            terminal.wait_for("Which integration")
            terminal.type()
            terminal.wait_for("Where is your Passportal?")
        assert not other.exists() and len(list((world.folder / "agent" / "secrets").iterdir())) == agents
        says("no configuration")


def _answer(world, terminal):
    """Answers every question; returns how many there were."""
    prompts = 0

    def at(question, text=None, keys=()):
        nonlocal prompts
        terminal.wait_for(question)
        prompts += 1
        if keys:
            terminal.key(*keys)
        terminal.type(text or "")

    at("Which integration do you want to install?")
    at("Where is your Passportal?", keys=["Down"] * 4)
    at("Its address:", world.vault)
    at("E-mail:", ADMIN)
    at("Password:", world.secrets["admin-password"])
    at("One-time code:")
    at("For which client?")
    at("Organization key:", world.secrets["organization-key"])
    at("Tenant:", TENANT)
    at("In which cloud?")
    at("How does the agent sign in to Microsoft?")
    at("Which certificate?")
    terminal.wait_for("The app's client id:")
    # What an administrator does meanwhile in the tenant: the certificate is uploaded to the app.
    public = pathlib.Path(world.config).parent / "contoso.public.pem"
    world.sim("POST", f"tenants/{TENANT}/apps/{APP}/patch", {"certificates": [public.read_text()]})
    at("The app's client id:", APP)
    at("Install the agent as a service, and start it now?")
    at("Run the agent in this terminal now?")
    return prompts


def _pushes(report, world, new):
    with report.case("what is changed in the vault then is pushed") as says:
        began = time.monotonic()
        program.until(lambda: (world.credential("anna")["last_result"] or {}).get("outcome") == "matched", "anna was checked")
        world.set_password("anna", new)
        program.until(lambda: world.entra_has("anna", new), "the password is pushed")
        says(f"{upn('anna')} after {time.monotonic() - began:.1f} s")


def _keep(world, shown, prompts):
    place = os.environ.get("WALKTHROUGH")
    if not place:
        return
    # Places and ports of this run are as good as any others.
    for there, instead in [(str(world.folder / "agent"), "/etc/passportal-agent"), (world.vault, "https://vault.msp.example"),
                           (world.entra, "https://login.example")]:
        shown = shown.replace(there.rstrip("/"), instead)
    text = pathlib.Path(place)
    screen = "\n".join(line.rstrip() for line in shown.strip().splitlines())
    text.write_text(TEXT.format(prompts=prompts, screen=screen), encoding="utf-8")


TEXT = """# Setting an agent up, screen by screen

`passportal-agent setup` at a terminal, from nothing to a running agent: {prompts} prompts, of which eight are an Enter. What takes a person's time is the
app registration in the tenant, about five minutes by hand and one with the script that is written beside the certificate.

The screens are those of a run against the embedded vault and the simulated tenant; `WALKTHROUGH=docs/walkthrough.md tests/binaries/run wizard` makes them anew. That machine
has no service manager, so the agent runs in the terminal at the end; with systemd, or on Windows, the last step installs and starts the service and waits for its first cycle.

```text
{screen}
```
"""
