"""Unusual passwords: refused in words, or carried exactly; never altered."""

from dashboard import Person
from refusal import FAILED, nothing_changes, refused
from world import CLIENT, World, new_password, upn

REFUSED = {
    "0 characters": "",
    "nothing but a line break": "\n",
    "300 characters": "Aa1!" * 75,
    "257 characters": "Aa1!" * 64 + "x",
    "300 emoji": "🔑" * 300,
    "a leading space": " Leading-Space-1",
    "a leading tab": "\tLeading-Tab-1",
}
# To Entra ID and back.
CARRIED = {
    "quotes": """Double"Single'Back`tick-1""",
    "backslashes": "C:\\new\\table\\x41\\u0041\\-1",
    "markup": "<b>&amp;Bold</b>--%41%20+Plus-1",
    "a shell": "$HOME `id` $(id) %PATH% !1 ;aB",
    "JSON": '{"a":"B1"}\\"]}',
    "inner spaces": "Four  words  and 1 more",
    "8 characters": "Short-1a",
    "256 characters": "Aa1!" * 64,
}
# Kept exactly, and never sent: Entra ID would alter or refuse them.
KEPT = {
    "a trailing space": "Trailing-Space-1 ",
    "emoji": "Emoji-🔑🦀-Key-1",
    "letters beyond ASCII": "Größe-Ünïcode-1",
    "7 characters": "Ab-1xyz",
    "one class": "onlysmallletters",
}


def run(report):
    with World() as world:
        names = _names(CARRIED, "carried") | _names(KEPT, "kept")
        old = {name: new_password() for name in names}
        # The second account holds the same odd password in Entra ID already: a match proves that it was carried exactly.
        same = {f"{name}-same": password for name, password in names.items() if name.startswith("carried")}
        world.start_simulator(old | same)
        world.start_vault()
        world.login()
        world.add_client()
        for name, password in (old | same).items():
            world.add_credential(name, password)
        world.setup()
        first = world.sync()
        _refused(report, world)
        _added(report, world, same, first)
        for name, password in names.items():
            world.set_password(name, password)
        second = world.sync()
        _carried(report, world, second)
        _kept(report, world, second, old)


def _names(passwords, beginning):
    """One account for each."""
    return {f"{beginning}{number}": password for number, password in enumerate(passwords.values())}


def _refused(report, world):
    for name, password in REFUSED.items():
        file = world.secret("odd-password", password)
        with report.case(f"a password of {name}, by credentials add and set-password") as says, nothing_changes(world):
            add = ["credentials", "add", "--client", CLIENT, "--user-name", upn("nobody")]
            change = ["credentials", "set-password", upn("carried0")]
            for command in [add, change]:
                result = world.passportal(*command, "--password-file", file, *world.key_options())
                told = refused(result, FAILED, secrets=[password.strip()])
            says(told)


def _added(report, world, same, rows):
    with report.case("each odd password that Entra ID has is found equal by the sign-in test") as says:
        differ = {name: rows[name]["outcome"] for name in same if rows[name]["outcome"] != "matched"}
        assert not differ, differ
        says(f"{len(same)} matched")


def _carried(report, world, rows):
    for (what, password), name in zip(CARRIED.items(), _names(CARRIED, "carried")):
        with report.case(f"a password with {what} is carried exactly to Entra ID") as says:
            assert rows[name]["outcome"] == "pushed", rows[name]
            assert world.entra_has(name, password), "Entra ID has another one"
            shown = Person(world).reveal(world.credential(name))
            assert shown == password, "the dashboard shows another one"
            says("pushed; the same in Entra ID and at the dashboard")


def _kept(report, world, rows, old):
    for (what, password), name in zip(KEPT.items(), _names(KEPT, "kept")):
        with report.case(f"a password with {what} is kept exactly, and not sent") as says:
            (outcome,) = rows[name]["outcome"] if isinstance(rows[name]["outcome"], dict) else [rows[name]["outcome"]]
            assert outcome in ("blocked", "held"), rows[name]
            assert world.entra_has(name, old[name]), "Entra ID was changed"
            shown = Person(world).reveal(world.credential(name))
            assert shown == password, "the dashboard shows another one"
            says(f"{outcome}: {rows[name]['why']}")
