#!/usr/bin/env python3
"""Fills the signature headers of golden cases, as a partner would make them: with openssl, not with us.

    sign.py TEST_GOLDEN FILE...

Where a header of an `http request` or `http answer` says "?", its value is worked out: content-digest over
the body, signature-input with the profile's coverage, signature with the RFC 9421 test key that the file's
`verify` line names. Values that stand there are left alone, so that a case can be wrong on purpose. An answer
is signed over the call of its case, which TEST_GOLDEN is asked to write.
"""

import base64
import hashlib
import os
import re
import subprocess
import sys
import tempfile

KEYS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../tests/vectors/keys")
ORIGIN, AUTHORITY = "https://switch.example", "https://wallet.example"
CREATED = 1768473000


def run(*args, data=None):
    return subprocess.run(args, input=data, capture_output=True, check=True).stdout


def sign(base, keyid):
    """Raw bytes: Ed25519 for keys that end in -1, P-256 (r and s) for those in -2."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(base.encode())
        file.flush()
        if keyid.endswith("-1"):
            return run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", f"{KEYS}/rfc9421-ed25519.pem", "-in", file.name)
        der = run("openssl", "dgst", "-sha256", "-sign", f"{KEYS}/rfc9421-p256.pem", file.name)
    numbers, at = b"", 2
    for _ in range(2):
        size = der[at + 1]
        numbers += der[at + 2 : at + 2 + size].lstrip(b"\0").rjust(32, b"\0")
        at += 2 + size
    return numbers


class Message:
    def __init__(self, text):
        head, _, self.body = text.partition("\n\n")
        self.start, *lines = head.rstrip("\n").split("\n")
        self.fields = [line.split(": ", 1) for line in lines]

    def get(self, name):
        values = [value for key, value in self.fields if key.lower() == name]
        return values[0] if values else None

    def set(self, name, value):
        for field in self.fields:
            if field[0].lower() == name and field[1] == "?":
                field[1] = value

    def text(self):
        head = "\n".join([self.start] + [": ".join(field) for field in self.fields])
        return head + ("\n\n" + self.body if self.body else "")


def target_uri(message, origin):
    return origin + message.start.split(" ")[1]


def resolve(component, message, request):
    name, req = component.split(";")[0].strip('"'), ";req" in component
    message = request if req else message
    if name == "@method":
        return message.start.split(" ")[0]
    if name == "@target-uri":
        return target_uri(message, ORIGIN if message.origin is None else message.origin)
    if name == "@status":
        return message.start.split(" ")[1]
    value = message.get(name)
    if ";key=" in component:
        return re.search(r"sig1=(.*)", value).group(1)
    return value


def fill(message, request=None):
    if message.get("content-digest") == "?":
        digest = base64.b64encode(hashlib.sha256(message.body.encode()).digest()).decode()
        message.set("content-digest", f"sha-256=:{digest}:")
    if message.get("signature-input") == "?":
        body = ['"content-type"', '"content-digest"'] if message.body else []
        if request is None:
            key = ['"idempotency-key"'] if message.get("idempotency-key") else []
            cover = ['"@method"', '"@target-uri"'] + body + key
            tail = f';created={CREATED};expires={CREATED + 60};nonce="bm9uY2Utbm9uY2Uh";keyid="pivo:202601-1";tag="xw-request-v1"'
        else:
            digest = ['"content-digest";req'] if request.get("content-digest") else []
            cover = ['"@status"'] + body + ['"@method";req', '"@target-uri";req'] + digest
            cover += ['"signature-input";req;key="sig1"', '"signature";req;key="sig1"']
            tail = f';created={CREATED};keyid="pivo:202601-1";tag="xw-response-v1"'
        message.set("signature-input", f"sig1=({' '.join(cover)}){tail}")
    if message.get("signature") != "?":
        return
    params = re.search(r"sig1=(.*)", message.get("signature-input")).group(1)
    components = re.findall(r'"[^"]*"(?:;req|;key="[^"]*")*', params[: params.index(")")])
    lines = [f"{c}: {resolve(c, message, request)}" for c in components]
    base = "\n".join(lines + [f'"@signature-params": {params}'])
    keyid = re.search(r'keyid="([^"]*)"', params).group(1)
    message.set("signature", f"sig1=:{base64.b64encode(sign(base, keyid)).decode()}:")


def call_of(golden, defaults, case):
    """The bytes of the case's call, as the adapter writes them."""
    head = case[: case.index("--- http answer")]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(defaults + head + "--- expect http\nx\n")
        file.flush()
        out = subprocess.run([golden, file.name], env={"XW_GOLDEN_PRINT": "1"}, capture_output=True, text=True, check=True).stdout
    call = Message(out.split("--- expect http\n")[1].rstrip("\n"))
    call.origin = AUTHORITY
    return call


def main():
    golden, *paths = sys.argv[1:]
    for path in paths:
        with open(path, encoding="utf-8") as file:
            defaults, *cases = re.split(r"(?m)^(?==== )", file.read())
        for at, case in enumerate(cases):
            match = re.search(r"--- http (request|answer)\n(.*?)(\n*)(?=\n--- |\Z)", case, re.S)
            if not match or ": ?\n" not in match.group(2) + "\n":
                continue
            message = Message(match.group(2))
            message.origin = ORIGIN
            fill(message, call_of(golden, defaults, case) if match.group(1) == "answer" else None)
            cases[at] = case[: match.start(2)] + message.text() + case[match.end(2) :]
        with open(path, "w", encoding="utf-8") as file:
            file.write(defaults + "".join(cases))


main()
