"""Unmodified MSAL for Python against the simulator: tokens, and the codes of refused sign-ins."""

import sys

import msal

from seen import APP, APP_SECRET, AUTHORITY_TENANT, PUBLIC_APP, finish, seen

GRAPH_SCOPE = ["https://graph.microsoft.com/.default"]
USER_SCOPE = ["User.Read"]


def authority(base, tenant=AUTHORITY_TENANT):
    return f"{base}/{tenant}"


def confidential(base, ca, secret, tenant=AUTHORITY_TENANT):
    return msal.ConfidentialClientApplication(
        APP,
        client_credential=secret,
        authority=authority(base, tenant),
        instance_discovery=False,
        verify=ca,
    )


def codes(answer):
    return answer.get("error_codes") or []


def client_credentials(base, ca):
    answer = confidential(base, ca, APP_SECRET).acquire_token_for_client(GRAPH_SCOPE)
    seen("msal", "right secret gets a token", "access_token" in answer, f"expires_in {answer.get('expires_in')}")

    answer = confidential(base, ca, "wrong").acquire_token_for_client(GRAPH_SCOPE)
    seen(
        "msal",
        "wrong secret is 7000215",
        answer.get("error") == "invalid_client" and codes(answer) == [7000215],
        f"{answer.get('error')} {codes(answer)}",
    )


def unknown_tenant(base, ca):
    try:
        answer = confidential(base, ca, APP_SECRET, "nobody.example").acquire_token_for_client(GRAPH_SCOPE)
        refused, what = "access_token" not in answer, f"{answer.get('error')} {codes(answer)}"
    except ValueError as error:  # MSAL's own answer when the tenant's discovery document is refused
        what = str(error).split(". ")[0]
        refused = what.startswith("Unable to get authority configuration")
    seen("msal", "unknown tenant is refused", refused, what)


def password_grants(base, ca):
    app = msal.PublicClientApplication(
        PUBLIC_APP, authority=authority(base), instance_discovery=False, verify=ca
    )

    def sign_in(user, password):
        return app.acquire_token_by_username_password(f"{user}@{AUTHORITY_TENANT}", password, USER_SCOPE)

    answer = sign_in("anna", "Anna-fixture-1")
    seen("msal", "right password gets a token", "access_token" in answer, f"{answer.get('token_type')}")
    expectations = [
        ("anna", "not the password", 50126),
        ("mia", "Mia-fixture-1", 50076),
        ("carl", "Carl-fixture-1", 53003),
        ("dora", "Dora-fixture-1", 50057),
        ("nobody", "whatever-1", 50034),
    ]
    for user, password, code in expectations:
        answer = sign_in(user, password)
        seen("msal", f"{user} is refused with {code}", code in codes(answer), f"{answer.get('error')} {codes(answer)}")


def main():
    base, ca = sys.argv[1:]
    client_credentials(base, ca)
    unknown_tenant(base, ca)
    password_grants(base, ca)
    finish("msal", 9)


main()
