"""Unmodified MSAL with the capability cp1 answers a claims challenge that the simulator makes on order."""

import base64
import sys

import msal
import requests

from seen import AUTHORITY_TENANT, CERTIFICATE_APP, finish, seen

GRAPH_SCOPE = ["https://graph.microsoft.com/.default"]
DEMAND = {"access_token": {"nbf": {"essential": True, "value": "1772323200"}}}


def main():
    base, ca, folder = sys.argv[1:]
    session = requests.Session()
    session.verify, session.trust_env = ca, False

    def app(capabilities):
        with open(f"{folder}/app.key") as key, open(f"{folder}/app-cert.pem") as certificate:
            credential = {"private_key": key.read(), "public_certificate": certificate.read()}
        return msal.ConfidentialClientApplication(
            CERTIFICATE_APP,
            client_credential=credential,
            authority=f"{base}/{AUTHORITY_TENANT}",
            instance_discovery=False,
            client_capabilities=capabilities,
            verify=ca,
        )

    def read(answer):
        bearer = {"Authorization": f"Bearer {answer['access_token']}"}
        return session.get(f"{base}/v1.0/domains", headers=bearer)

    capable, plain = app(["cp1"]), app(None)
    first, other = (it.acquire_token_for_client(GRAPH_SCOPE) for it in (capable, plain))
    seen("msal", "a token with cp1 reads", read(first).status_code == 200, read(first).status_code)

    order = f"{base}/_sim/tenants/{AUTHORITY_TENANT}/challenge"
    session.post(order, json={"claims": DEMAND}).raise_for_status()
    refused = read(first)
    challenge = requests.utils.parse_dict_header(refused.headers["WWW-Authenticate"].removeprefix("Bearer "))
    is_challenge = refused.status_code == 401 and challenge.get("error") == "insufficient_claims"
    seen("msal", "the token is challenged", is_challenge, challenge.get("error"))
    what = read(other).headers["WWW-Authenticate"]
    seen("msal", "without cp1 there is no challenge", "insufficient_claims" not in what, read(other).status_code)

    claims = base64.b64decode(challenge["claims"]).decode()
    second = capable.acquire_token_for_client(GRAPH_SCOPE, claims_challenge=claims)
    is_new = second.get("access_token") not in (None, first["access_token"])
    seen("msal", "the challenge gets another token", is_new, second.get("error", "a token"))
    seen("msal", "which reads", read(second).status_code == 200, read(second).status_code)
    session.delete(order).raise_for_status()
    finish("claims", 5)


main()
