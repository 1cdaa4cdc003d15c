"""Makes one of each kind of caller, and tells schemathesis which things are there.

usage: callers.py VAULT SESSION-FILE API-KEY-FILE CONFIGURATION-TO-WRITE — prints lines of a caller and its token
"""

import hashlib
import hmac
import json
import sys
import urllib.request


def call(method, path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{vault}/api/v2/{path}", data, headers, method=method)
    request.add_header("content-type", "application/json")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return json.load(answer)


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


vault, session_file, key_file, configuration = sys.argv[1:]
person = {"x-access-token": read(session_file)["token"]}
clients = call("GET", "vault/clients", **person)["results"]
client = next(it["id"] for it in clients if it["name"] == "Contoso")
credential = call("GET", f"vault/clients/{client}/credentials", **person)["results"][0]["id"]

enrolment = {"client": client, "host": "fuzzed", "version": "0"}
agent = call("POST", "agent/enrolments", enrolment, **person)["results"]["token"]

key = read(key_file)
signature = hmac.new(key["secret"].encode(), b"content", hashlib.sha256).hexdigest()
signed = {"x-key": key["key"], "x-hash": signature}
program = call("POST", "auth/client_token", {"scope": "docs_api", "content": "content"}, **signed)["access_token"]

# Long polls would take most of the time.
PATIENCE = '[[operations]]\ninclude-path = "/api/v2/agent/changes"\nparameters = { "query.wait" = 0 }\n'
with open(configuration, "w", encoding="utf-8") as file:
    file.write(PATIENCE)
    for paths, there in (("/vault/clients/", client), ("/credentials/", credential)):
        file.write(f'[[operations]]\ninclude-path-regex = "{paths}"\nparameters = {{ "path.id" = "{there}" }}\n')
for who, token in (("person", person["x-access-token"]), ("agent", agent), ("program", program)):
    print(who, token)
