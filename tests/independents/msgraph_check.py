"""Unmodified Microsoft Graph SDK for Python against the simulator: users, delta, domains, and one password write."""

import asyncio
import sys

import httpx
from azure.identity import ClientSecretCredential
from kiota_abstractions.api_error import APIError
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.user import User
from msgraph.generated.users.delta.delta_request_builder import DeltaRequestBuilder

from seen import APP, APP_SECRET, AUTHORITY_TENANT, TENANT_ID, finish, seen

NEW_PASSWORD = "Anna-fixture-2"


def client(base, ca):
    credential = ClientSecretCredential(
        TENANT_ID, APP, APP_SECRET, authority=base, disable_instance_discovery=True, connection_verify=ca
    )
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=[]
    )
    adapter = GraphRequestAdapter(provider, client=httpx.AsyncClient(verify=ca, trust_env=False))
    adapter.base_url = f"{base}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


async def reads(graph):
    page = await graph.users.get()
    names = sorted(user.user_principal_name for user in page.value)
    seen("msgraph-sdk", "lists the accounts", f"anna@{AUTHORITY_TENANT}" in names, f"{len(names)} accounts")

    query = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(
        select=["id", "userPrincipalName", "lastPasswordChangeDateTime"]
    )
    settings = DeltaRequestBuilder.DeltaRequestBuilderGetRequestConfiguration(query_parameters=query)
    delta = await graph.users.delta.get(request_configuration=settings)
    ends = delta.odata_delta_link is not None
    seen("msgraph-sdk", "delta ends with a delta link", ends, f"{len(delta.value)} accounts")
    stamps = {user.user_principal_name: user.last_password_change_date_time for user in delta.value}
    seen("msgraph-sdk", "delta has stamps", all(stamps.values()), f"{len(stamps)} stamps")

    domains = await graph.domains.get()
    kinds = {domain.id: domain.authentication_type for domain in domains.value}
    right = kinds.get(AUTHORITY_TENANT) == "Managed" and kinds.get("federated.contoso.com") == "Federated"
    seen("msgraph-sdk", "domains tell managed from federated", right, kinds)
    return delta.odata_delta_link, stamps


async def writes(graph, delta_link, stamps):
    name = f"anna@{AUTHORITY_TENANT}"
    anna = graph.users.by_user_id(name)
    profile = PasswordProfile(password=NEW_PASSWORD, force_change_password_next_sign_in=False)
    await anna.patch(User(password_profile=profile))
    changed = await graph.users.delta.with_url(delta_link).get()
    moved = [user for user in changed.value if user.last_password_change_date_time != stamps.get(name)]
    seen("msgraph-sdk", "a password write moves the stamp in the delta", len(moved) == 1, f"{len(changed.value)} changed")

    try:
        await anna.patch(User(password_profile=PasswordProfile(password="short")))
        refused = "accepted"
    except APIError as error:
        refused = f"status {error.response_status_code}"
    seen("msgraph-sdk", "a password against the policy is refused", refused == "status 400", refused)

    try:
        await graph.users.by_user_id(f"nobody@{AUTHORITY_TENANT}").get()
        missing = "found"
    except APIError as error:
        missing = f"status {error.response_status_code}"
    seen("msgraph-sdk", "an account that does not exist is 404", missing == "status 404", missing)


def check_password(base, ca):
    answer = httpx.post(
        f"{base}/_sim/tenants/{AUTHORITY_TENANT}/users/anna@{AUTHORITY_TENANT}/check",
        json={"password": NEW_PASSWORD},
        verify=ca,
        trust_env=False,
    )
    seen("msgraph-sdk", "the account has the new password", answer.json() == {"matches": True}, answer.status_code)


async def main():
    base, ca = sys.argv[1:]
    graph = client(base, ca)
    delta_link, stamps = await reads(graph)
    await writes(graph, delta_link, stamps)
    check_password(base, ca)
    finish("msgraph-sdk", 8)


asyncio.run(main())
