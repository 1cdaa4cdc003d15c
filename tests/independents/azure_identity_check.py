"""Unmodified azure-identity against the simulator: both credentials that password sync is about."""

import logging
import sys
import warnings

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, UsernamePasswordCredential

from seen import APP, APP_SECRET, AUTHORITY_TENANT, PUBLIC_APP, TENANT_ID, finish, seen

GRAPH_SCOPE = "https://graph.microsoft.com/.default"


def attempt(credential):
    """`None` for a token, else the message."""
    try:
        token = credential.get_token(GRAPH_SCOPE)
        return None if token.token and token.expires_on else "an empty token"
    except ClientAuthenticationError as error:
        return str(error)


def main():
    base, ca = sys.argv[1:]
    warnings.simplefilter("ignore", DeprecationWarning)
    logging.disable(logging.WARNING)  # refusals are what we look for, and we print them ourselves
    common = {"authority": base, "disable_instance_discovery": True, "connection_verify": ca}

    why = attempt(ClientSecretCredential(TENANT_ID, APP, APP_SECRET, **common))
    seen("azure-identity", "client secret gets a token", why is None, why or "a token")

    why = attempt(ClientSecretCredential(TENANT_ID, APP, "wrong", **common)) or ""
    seen("azure-identity", "wrong secret says AADSTS7000215", "AADSTS7000215" in why, why.splitlines()[0] if why else "a token")

    def person(user, password):
        name = f"{user}@{AUTHORITY_TENANT}"
        return attempt(UsernamePasswordCredential(PUBLIC_APP, name, password, tenant_id=TENANT_ID, **common))

    why = person("anna", "Anna-fixture-1")
    seen("azure-identity", "right password gets a token", why is None, why or "a token")
    for user, password, code in [("anna", "not the password", 50126), ("mia", "Mia-fixture-1", 50076)]:
        why = person(user, password) or ""
        seen("azure-identity", f"{user} is refused with {code}", f"AADSTS{code}" in why, why.splitlines()[0] if why else "a token")
    finish("azure-identity", 5)


main()
