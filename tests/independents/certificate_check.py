"""Unmodified MSAL and azure-identity sign in with certificates; what they send is verified by the simulator."""

import logging
import sys

import msal
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from seen import AUTHORITY_TENANT, CERTIFICATE_APP, TENANT_ID, finish, seen

GRAPH_SCOPE = "https://graph.microsoft.com/.default"


def read(folder, name, mode="r"):
    with open(f"{folder}/{name}", mode) as file:
        return file.read()


def sha1(folder, name):
    certificate = x509.load_pem_x509_certificate(read(folder, f"{name}-cert.pem", "rb"))
    return certificate.fingerprint(hashes.SHA1()).hex()


def with_msal(base, ca, credential):
    app = msal.ConfidentialClientApplication(
        CERTIFICATE_APP,
        client_credential=credential,
        authority=f"{base}/{AUTHORITY_TENANT}",
        instance_discovery=False,
        verify=ca,
    )
    answer = app.acquire_token_for_client([GRAPH_SCOPE])
    return "a token" if "access_token" in answer else f"{answer.get('error')} {answer.get('error_codes')}"


def msal_checks(base, ca, folder):
    def own(name):
        certificate, key = read(folder, f"{name}-cert.pem"), read(folder, f"{name}.key")
        return {"private_key": key, "public_certificate": certificate}

    what = with_msal(base, ca, own("app"))
    seen("msal", "PEM certificate (PS256, x5t#S256) gets a token", what == "a token", what)
    pfx = {"private_key_pfx_path": f"{folder}/app.pfx", "passphrase": "fixture-pfx"}
    what = with_msal(base, ca, pfx)
    seen("msal", "PKCS#12 certificate gets a token", what == "a token", what)
    old = {"private_key": read(folder, "app.key"), "thumbprint": sha1(folder, "app")}
    what = with_msal(base, ca, old)
    seen("msal", "SHA-1 thumbprint (RS256, x5t) gets a token", what == "a token", what)
    what = with_msal(base, ca, own("stranger"))
    seen("msal", "unregistered certificate is 700027", what == "invalid_client [700027]", what)
    swapped = {"private_key": read(folder, "stranger.key"), "thumbprint": sha1(folder, "app")}
    what = with_msal(base, ca, swapped)
    seen("msal", "another key than the certificate's is 700027", what == "invalid_client [700027]", what)


def azure_identity_checks(base, ca, folder):
    common = {"authority": base, "disable_instance_discovery": True, "connection_verify": ca}

    def attempt(path, **more):
        try:
            credential = CertificateCredential(TENANT_ID, CERTIFICATE_APP, path, **more, **common)
            return "a token" if credential.get_token(GRAPH_SCOPE).token else "an empty token"
        except ClientAuthenticationError as error:
            return str(error).splitlines()[0]

    what = attempt(f"{folder}/app.pem")
    seen("azure-identity", "PEM certificate gets a token", what == "a token", what)
    what = attempt(f"{folder}/app.pfx", password="fixture-pfx")
    seen("azure-identity", "PKCS#12 certificate gets a token", what == "a token", what)
    what = attempt(f"{folder}/stranger.pem")
    seen("azure-identity", "unregistered certificate says AADSTS700027", "AADSTS700027" in what, what)


def main():
    base, ca, folder = sys.argv[1:]
    logging.disable(logging.WARNING)  # refusals are what we look for, and we print them ourselves
    msal_checks(base, ca, folder)
    azure_identity_checks(base, ca, folder)
    finish("certificates", 8)


main()
