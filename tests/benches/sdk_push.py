"""Pushes passwords with Microsoft Graph's SDK for Python, and compares it with our adapter. See against_the_sdk.

    sdk_push.py scenario ACCOUNTS                the simulator's scenario
    sdk_push.py push ACCOUNTS BASE               one push over the SDK
    sdk_push.py compare ACCOUNTS BASE PROGRAM    both, in turn, three times
"""

import json
import os
import statistics
import subprocess
import sys
import time

TENANT = "contoso.onmicrosoft.com"
APP = "00000000-0000-0000-0000-000000000a99"
SECRET = "Bench~App~Secret"
IN_FLIGHT = 20
ROUNDS = 3


def user(number):
    return f"00000000-0000-4000-8000-{number:012x}"


def scenario(accounts):
    users = [
        {"id": user(n), "user_principal_name": f"user{n}@{TENANT}", "password": "Before-the-push-1"}
        for n in range(accounts)
    ]
    app = {
        "client_id": APP,
        "secret": SECRET,
        "permissions": ["User.Read.All", "User-PasswordProfile.ReadWrite.All"],
        "roles": ["User Administrator"],
    }
    print(json.dumps({"tenant": [{"name": TENANT, "app": [app], "user": users}]}))


def told(passwords, seconds, cpu):
    print(json.dumps({"passwords": passwords, "seconds": seconds, "cpu": cpu}))


async def push(accounts, base):
    import asyncio

    import httpx
    from kiota_abstractions.authentication import (
        AccessTokenProvider,
        AllowedHostsValidator,
        BaseBearerTokenAuthenticationProvider,
    )
    from msgraph import GraphRequestAdapter, GraphServiceClient
    from msgraph.generated.models.password_profile import PasswordProfile
    from msgraph.generated.models.user import User

    class OneToken(AccessTokenProvider):
        """The token is fetched before the clock runs: signing in is not what is compared."""

        def __init__(self, token):
            self.token = token

        async def get_authorization_token(self, uri, additional_authentication_context=None):
            return self.token

        def get_allowed_hosts_validator(self):
            return AllowedHostsValidator([])

    form = {
        "grant_type": "client_credentials",
        "client_id": APP,
        "client_secret": SECRET,
        "scope": "https://graph.microsoft.com/.default",
    }
    answer = httpx.post(f"{base}/{TENANT}/oauth2/v2.0/token", data=form, trust_env=False)
    provider = BaseBearerTokenAuthenticationProvider(OneToken(answer.json()["access_token"]))
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = f"{base}/v1.0"
    graph = GraphServiceClient(request_adapter=adapter)
    waiting = iter(range(accounts))

    async def worker():
        for number in waiting:
            profile = PasswordProfile(password=f"Sdk-push-{number}", force_change_password_next_sign_in=False)
            await graph.users.by_user_id(user(number)).patch(User(password_profile=profile))

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    told(accounts, time.perf_counter() - began, time.process_time() - cpu)


def run(command):
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    return json.loads(output)


def compare(accounts, base, program):
    ours = [program, base, str(accounts), str(IN_FLIGHT)]
    sides = {
        "msgraph-sdk": [sys.executable, os.path.abspath(__file__), "push", str(accounts), base],
        "ours, one by one": [*ours, "alone"],
        "ours, in batches": [*ours, "batches"],
    }
    seen = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, command in sides.items():
            seen[name].append(run(command))
    print(f"{accounts} passwords, {IN_FLIGHT} in flight, no limits, median of {ROUNDS} rounds (least to most)")
    medians = {}
    for name, rounds in seen.items():
        rate = sorted(one["passwords"] / one["seconds"] for one in rounds)
        cpu = sorted(1000 * one["cpu"] / one["passwords"] for one in rounds)
        medians[name] = statistics.median(rate), statistics.median(cpu)
        print(
            f"  {name:18} {statistics.median(rate):8.0f} passwords/s ({rate[0]:.0f} to {rate[-1]:.0f})"
            f"   {statistics.median(cpu):7.3f} CPU ms each ({cpu[0]:.3f} to {cpu[-1]:.3f})"
        )
    rate, cpu = medians["msgraph-sdk"]
    for name in ("ours, one by one", "ours, in batches"):
        print(f"  {name}: {medians[name][0] / rate:.1f} times the rate, {cpu / medians[name][1]:.1f} times less CPU")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["scenario", accounts]:
            scenario(int(accounts))
        case ["push", accounts, base]:
            import asyncio

            asyncio.run(push(int(accounts), base))
        case ["compare", accounts, base, program]:
            compare(int(accounts), base, program)
        case _:
            sys.exit(__doc__)
