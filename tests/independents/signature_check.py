"""PyJWT verifies an issued token with the key set that the simulator publishes."""

import ssl
import sys

import jwt
import requests

from seen import APP, APP_SECRET, AUTHORITY_TENANT, TENANT_ID, finish, seen

GRAPH = "00000003-0000-0000-c000-000000000000"


def main():
    base, ca = sys.argv[1:]
    session = requests.Session()
    session.verify, session.trust_env = ca, False
    document = session.get(f"{base}/{AUTHORITY_TENANT}/v2.0/.well-known/openid-configuration").json()
    form = {
        "grant_type": "client_credentials",
        "client_id": APP,
        "client_secret": APP_SECRET,
        "scope": "https://graph.microsoft.com/.default",
    }
    token = session.post(document["token_endpoint"], data=form).json()["access_token"]

    keys = jwt.PyJWKClient(document["jwks_uri"], ssl_context=ssl.create_default_context(cafile=ca))
    key = keys.get_signing_key_from_jwt(token)
    expected = {"algorithms": ["RS256"], "audience": GRAPH, "issuer": f"{base}/{TENANT_ID}/v2.0"}
    claims = jwt.decode(token, key, **expected)
    seen("PyJWT", "the published key verifies a token", claims["azp"] == APP, f"key {key.key_id}")

    header, payload, signature = token.split(".")
    altered = ".".join([header, payload[:-2] + ("AA" if payload[-2:] != "AA" else "BB"), signature])
    try:
        jwt.decode(altered, key, **expected)
        what = "accepted"
    except jwt.InvalidSignatureError:
        what = "refused"
    seen("PyJWT", "an altered token is refused", what == "refused", what)
    finish("signatures", 2)


main()
