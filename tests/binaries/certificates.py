"""A certificate authority of our own, made with the openssl command, for one run."""

import subprocess

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
SERVER_EXTENSIONS = """\
subjectAltName=DNS:localhost,IP:127.0.0.1
extendedKeyUsage=serverAuth
basicConstraints=CA:FALSE
keyUsage=digitalSignature
authorityKeyIdentifier=keyid
subjectKeyIdentifier=hash
"""


class Certificates:
    """ca.pem, and server.pem with server.key for loopback."""

    def __init__(self, folder):
        folder.mkdir()
        self.ca = folder / "ca.pem"
        self.certificate = folder / "server.pem"
        self.key = folder / "server.key"
        ca_key, request, extensions = folder / "ca.key", folder / "server.csr", folder / "extensions"
        extensions.write_text(SERVER_EXTENSIONS)
        _openssl("req", "-x509", *KEY, "-days", "2", "-keyout", ca_key, "-out", self.ca, "-subj", "/CN=test CA",
                 "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        _openssl("req", *KEY, "-keyout", self.key, "-out", request, "-subj", "/CN=localhost")
        _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2",
                 "-out", self.certificate, "-extfile", extensions)

    def server_options(self):
        return ["--tls-cert", self.certificate, "--tls-key", self.key]


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
