"""Unmodified MSAL and azure-identity sign a person in by device code, go on by refresh token, and learn of its end."""

import logging
import sys
import warnings

import msal
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DeviceCodeCredential

from seen import APP, AUTHORITY_TENANT, PUBLIC_APP, TENANT_ID, finish, seen

SCOPE = ["https://graph.microsoft.com/.default"]
RITA = f"rita@{AUTHORITY_TENANT}"


class Person:
    """Whoever enters the codes."""

    def __init__(self, base, ca):
        self.base, self.session = base, requests.Session()
        self.session.verify, self.session.trust_env = ca, False

    def post(self, path, body=None):
        self.session.post(f"{self.base}/_sim/{path}", json=body).raise_for_status()

    def approves(self, code):
        self.post(f"device-codes/{code}/approve", {"user": RITA})

    def fills_the_form(self, page, code):
        form = {"user_code": code, "user": RITA, "password": "Rita-fixture-1", "answer": "approve"}
        self.session.post(page, data=form).raise_for_status()


def public_client(base, ca, app=PUBLIC_APP):
    return msal.PublicClientApplication(
        app, authority=f"{base}/{AUTHORITY_TENANT}", instance_discovery=False, verify=ca
    )


def refresh_tokens(app):
    kind = msal.TokenCache.CredentialType.REFRESH_TOKEN
    return {entry["secret"] for entry in app.token_cache.search(kind)}


def msal_signs_in(base, ca, person):
    app = public_client(base, ca)
    flow = app.initiate_device_flow(SCOPE)
    told = {"user_code", "device_code", "verification_uri", "expires_in", "interval", "message"} <= flow.keys()
    seen("msal", "a device code comes with all that Entra ID sends", told, flow.get("error", "all"))
    early = app.acquire_token_by_device_flow(flow, exit_condition=lambda _: True)
    seen("msal", "nobody came yet: authorization_pending", early.get("error") == "authorization_pending", early.get("error"))
    person.fills_the_form(flow["verification_uri"], flow["user_code"])
    answer = app.acquire_token_by_device_flow(flow)
    seen("msal", "the form that is filled in gets a token", "access_token" in answer, answer.get("error", "a token"))
    name = (app.get_accounts() or [{}])[0].get("username")
    seen("msal", "the account is the person's", name == RITA, name)
    return app


def msal_goes_on(app, person):
    (account,) = app.get_accounts()
    before = refresh_tokens(app)
    answer = app.acquire_token_silent_with_error(SCOPE, account, force_refresh=True) or {}
    seen("msal", "a silent refresh gets a token", "access_token" in answer, answer.get("error", "a token"))
    after = refresh_tokens(app)
    seen("msal", "and another refresh token", len(after) == 1 and not before & after, len(after))

    person.post(f"tenants/{AUTHORITY_TENANT}/users/{RITA}/password", {"password": "Rita-fixture-2"})
    answer = app.acquire_token_silent_with_error(SCOPE, account, force_refresh=True) or {}
    codes = answer.get("error_codes")
    revoked = answer.get("error") == "invalid_grant" and codes == [50173]
    seen("msal", "a reset of the person's password is 50173", revoked, f"{answer.get('error')} {codes}")


def msal_is_refused(base, ca, person):
    app = public_client(base, ca)
    flow = app.initiate_device_flow(SCOPE)
    person.post(f"device-codes/{flow['user_code']}/decline")
    answer = app.acquire_token_by_device_flow(flow)
    declined = answer.get("error") == "authorization_declined"
    seen("msal", "who declines is told by Entra's word", declined, answer.get("error"))

    app = public_client(base, ca, APP)
    flow = app.initiate_device_flow(SCOPE)
    person.approves(flow["user_code"])
    answer = app.acquire_token_by_device_flow(flow)
    refused = answer.get("error") == "invalid_client" and answer.get("error_codes") == [7000218]
    seen("msal", "an app that is no public client is 7000218", refused, f"{answer.get('error')} {answer.get('error_codes')}")


def azure_identity(base, ca, person):
    logging.disable(logging.WARNING)
    credential = DeviceCodeCredential(
        PUBLIC_APP,
        tenant_id=TENANT_ID,
        prompt_callback=lambda page, code, until: person.approves(code),
        authority=base,
        disable_instance_discovery=True,
        connection_verify=ca,
    )
    try:
        record = credential.authenticate(scopes=SCOPE)
        token, why = credential.get_token(*SCOPE).token, record.username
    except ClientAuthenticationError as error:
        token, why = None, str(error).splitlines()[0]
    seen("azure-identity", "a device code gets a token", bool(token), why)
    seen("azure-identity", "the record names the person", why == RITA, why)


def main():
    base, ca = sys.argv[1:]
    warnings.simplefilter("ignore", UserWarning)  # MSAL finds our second poll early, and it is
    person = Person(base, ca)
    app = msal_signs_in(base, ca, person)
    msal_goes_on(app, person)
    msal_is_refused(base, ca, person)
    azure_identity(base, ca, person)
    finish("device code", 11)


main()
