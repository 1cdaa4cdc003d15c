"""What every check prints, and how it fails: loudly, after all of them ran."""

import sys

AUTHORITY_TENANT = "contoso.onmicrosoft.com"
TENANT_ID = "7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f0001"
APP = "7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f00a1"
APP_SECRET = "fixture-App~Secret.1"
CERTIFICATE_APP = "7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f00a3"
PUBLIC_APP = "7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f00a2"

_failed = []


def seen(client, claim, ok, what):
    """Prints one observation; `what` never holds a token or a password."""
    print(f"{'ok    ' if ok else 'FAILED'} {client:16} {claim}: {str(what)[:100]}", flush=True)
    if not ok:
        _failed.append(claim)


def finish(client, least):
    """Ends with status 1 if anything failed."""
    if _failed:
        sys.exit(f"{client}: {len(_failed)} of at least {least} checks failed")
