"""Looks for passwords, in clear or thinly wrapped, in files that must not hold them.

usage: canary_search.py FILE-WITH-ONE-PASSWORD-A-LINE PLACE…
"""

import base64
import json
import pathlib
import sys
import urllib.parse
import zlib


def forms(password):
    """The password as it is, and as encoders of one step would leave it."""
    raw = password.encode()
    yield "in clear", raw
    yield "as UTF-16", password.encode("utf-16-le")
    yield "in hex", raw.hex().encode()
    yield "in a URL", urllib.parse.quote(password, safe="").encode()
    yield "in JSON", json.dumps(password)[1:-1].encode()
    yield "reversed", raw[::-1]
    for shift in range(3):  # base64 looks different by its position; the edges depend on the neighbours
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield "in base64", encode(b"x" * shift + raw)[4:-4]


def contents(path):
    data = path.read_bytes()
    yield data
    for wbits in (15, 31, -15):
        try:
            yield zlib.decompress(data, wbits)
        except zlib.error:
            pass


def files(places):
    for place in map(pathlib.Path, places):
        if not place.exists():
            sys.exit(f"error: {place} does not exist, so nothing was searched")
        yield from ([place] if place.is_file() else (path for path in place.rglob("*") if path.is_file()))


def main():
    passwords = pathlib.Path(sys.argv[1]).read_text().splitlines()
    needles = {(how, needle) for password in passwords for how, needle in forms(password)}
    found, searched, size = [], 0, 0
    for path in files(sys.argv[2:]):
        searched += 1
        size += path.stat().st_size
        for data in contents(path):
            found += [f"{path}: a password {how}" for how, needle in needles if needle in data]
    print(f"searched {searched} files, {size} bytes, for {len(passwords)} passwords in {len(needles)} forms")
    if not searched or not size or not passwords:
        sys.exit("error: there was nothing to search")
    if found:
        sys.exit("\n".join(["error: found", *sorted(set(found))]))


main()
