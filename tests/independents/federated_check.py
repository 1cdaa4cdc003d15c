"""Unmodified azure-identity signs in with another issuer's token, from code and from a file."""

import logging
import sys
import time

import jwt
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientAssertionCredential, WorkloadIdentityCredential

from seen import CERTIFICATE_APP, TENANT_ID, finish, seen

GRAPH_SCOPE = "https://graph.microsoft.com/.default"
ISSUER = "https://oidc.independents.example"
SUBJECT = "system:serviceaccount:passportal:agent"


def assertion(folder, **changes):
    now = int(time.time())
    claims = {
        "aud": ["api://AzureADTokenExchange"],
        "iss": ISSUER,
        "sub": SUBJECT,
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        **changes,
    }
    with open(f"{folder}/issuer.key") as key:
        return jwt.encode(claims, key.read(), algorithm="RS256", headers={"kid": "cluster"})


def attempt(credential):
    try:
        return "a token" if credential.get_token(GRAPH_SCOPE).token else "an empty token"
    except ClientAuthenticationError as error:
        return str(error).splitlines()[0]


def main():
    base, ca, folder = sys.argv[1:]
    logging.disable(logging.WARNING)  # refusals are what we look for, and we print them ourselves
    common = {"authority": base, "disable_instance_discovery": True, "connection_verify": ca}

    def with_assertion(**changes):
        def make():
            return assertion(folder, **changes)

        return attempt(ClientAssertionCredential(TENANT_ID, CERTIFICATE_APP, make, **common))

    what = with_assertion()
    seen("azure-identity", "another issuer's token gets a token", what == "a token", what)
    path = f"{folder}/federated-token"
    with open(path, "w") as file:
        file.write(assertion(folder))
    workload = WorkloadIdentityCredential(
        tenant_id=TENANT_ID, client_id=CERTIFICATE_APP, token_file_path=path, **common
    )
    what = attempt(workload)
    seen("azure-identity", "workload identity's file gets a token", what == "a token", what)
    for claim, value, code in [
        ("iss", "https://oidc.other.example", 700211),
        ("aud", "api://other", 700212),
        ("sub", SUBJECT.upper(), 700213),
        ("exp", int(time.time()) - 400, 700024),
    ]:
        what = with_assertion(**{claim: value})
        seen("azure-identity", f"a token with another {claim} says AADSTS{code}", f"AADSTS{code}:" in what, what)
    finish("federation", 6)


main()
