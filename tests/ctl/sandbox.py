"""switchsandbox as its users see it, ordered about by switchctl: sandbox.py SWITCHCTL SWITCHSANDBOX

Two partners in one program, a till of Bluecode's and a Vipps whose webhooks come to a switch that is
played here.
"""

import base64
import http.client
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from tap import report, status

PROGRAM, SANDBOX = sys.argv[1:3]
PATIENCE = 20


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Switch(http.server.ThreadingHTTPServer):
    """Takes webhooks and keeps them."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            self.server.heard.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.heard = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def request(port, method, path, body=None, headers=None):
    """Status, headers, body and seconds; status 0: the connection was cut."""
    begin = time.monotonic()
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        link.request(method, path, json.dumps(body) if body is not None else None, headers or {})
        answer = link.getresponse()
        return answer.status, dict(answer.headers), answer.read(), time.monotonic() - begin
    except (http.client.RemoteDisconnected, ConnectionResetError):
        return 0, {}, b"", time.monotonic() - begin
    finally:
        link.close()


def ctl(*arguments, at=None):
    environment = {**os.environ, "XW_CONTROL": at if at is not None else f"127.0.0.1:{CONTROL}"}
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, env=environment)
    return done.returncode, done.stdout, done.stderr


def order(name, command):
    status, out, err = ctl("sandbox", name, json.dumps(command))
    return status, json.loads(out) if out else err


def pay(code, number, seconds=False):
    body = {"barcode": code, "branch_ext_id": "1", "currency": "EUR", "merchant_tx_id": f"tx-{number}",
            "requested_amount": 100 + number, "scheme": "blue_code", "slip_date_time": "2026-01-15T10:00:00Z"}
    headers = {"content-type": "application/json",
               "authorization": "Basic " + base64.b64encode(b"till:secret").decode()}
    status, _, text, taken = request(BLUECODE, "POST", "/v4/payment", body, headers)
    return (status, json.loads(text) if text else None) + ((taken,) if seconds else ())


def wrong_use():
    for arguments, status in ((["sandbox"], 2), (["sandbox", "bluecode"], 2), (["book"], 2),
                              (["sandbox", "no/name", "{}"], 2), (["book", "nobody"], 3),
                              (["sandbox", "bluecode", "{"], 3),
                              (["book", "--control", "127.0.0.1", "bluecode"], 2),
                              (["book", "--control", f"127.0.0.1:{UNUSED}", "bluecode"], 3),
                              (["book", "--control", f"127.0.0.1:{CONTROL}", "bluecode"], 0)):
        got = ctl(*arguments)
        report(got[0] == status, f"{arguments} ends with {status}", got)
    report(ctl("book", "bluecode", at="")[0] == 2, "without an address it asks for one")
    for arguments, status in (([], 2), (["--conf", "/nowhere"], 3)):
        done = subprocess.run([SANDBOX, *arguments], capture_output=True)
        report(done.returncode == status, f"switchsandbox {arguments} ends with {status}", done)


def a_payment_is_in_the_book():
    status, answer = order("bluecode", {"do": "mint-code", "behaviour": "approve", "count": 50, "reusable": True})
    code = answer["codes"][0]
    report(status == 0 and answer["ok"], "a code is minted", answer)
    status, answer = pay(code, 1)
    report(status == 200 and answer["payment"]["state"] == "APPROVED", "a till is paid", answer)
    status, out, _ = ctl("book", "bluecode")
    lines = json.loads(out)
    report(status == 0 and [(b["id"], b["taken"]) for b in lines] == [("tx-1", 101)], "the book has it", out)
    report(json.loads(ctl("book", "vipps")[1]) == [], "and nobody else's book", ctl("book", "vipps"))
    return code


def misbehaviour_is_ordered(code):
    status, answer = order("bluecode", {"do": "misbehave", "op": "nonsense", "how": "cut"})
    report(status == 1 and not answer["ok"], "what a fake refuses ends with 1", answer)
    order("bluecode", {"do": "misbehave", "op": "payment", "how": "slow", "ms": 600})
    status, answer, taken = pay(code, 2, seconds=True)
    report(status == 200 and taken >= 0.6, "slow is slow", taken)
    order("bluecode", {"do": "misbehave", "op": "payment", "how": "apply-then-cut"})
    status, _ = pay(code, 3)
    report(status == 0, "a cut connection ends without an answer", status)
    order("bluecode", {"do": "misbehave", "op": "payment", "how": "error-503"})
    report(pay(code, 4)[0] == 503, "an error is the error that was ordered")
    lines = json.loads(ctl("book", "bluecode")[1])
    report([b["id"] for b in lines] == ["tx-1", "tx-2", "tx-3"], "what was applied is in the book", lines)


def a_long_book_is_one_array(code):
    for number in range(100, 3100):
        pay(code, number)
    status, headers, text, _ = request(CONTROL, "GET", "/bluecode/book")
    report(status == 200 and "link" in {h.lower() for h in headers} and len(text) <= 256 * 1024,
           "a long book comes in parts", (status, headers, len(text)))
    lines = json.loads(ctl("book", "bluecode")[1])
    report(len(lines) == len({b["id"] for b in lines}) == 3003, "and is put together", len(lines))


def a_webhook_comes(switch):
    ids = {"Ocp-Apim-Subscription-Key": "k", "Merchant-Serial-Number": "123456"}
    status, _, text, _ = request(VIPPS, "POST", "/accesstoken/get", {},
                                 {**ids, "client_id": "c", "client_secret": "s"})
    report(status == 200, "a token is given, headers with an underscore and all", (status, text))
    token = json.loads(text)["access_token"]
    headers = {**ids, "Authorization": "Bearer " + token, "Content-Type": "application/json",
               "Idempotency-Key": "key-1"}
    body = {"amount": {"currency": "NOK", "value": 8900}, "paymentMethod": {"type": "WALLET"},
            "customer": {"phoneNumber": "4791234501"}, "reference": "ref-00000001",
            "userFlow": "PUSH_MESSAGE", "paymentDescription": "Kaffe"}
    status, _, text, _ = request(VIPPS, "POST", "/epayment/v1/payments", body, headers)
    report(status == 201, "a payment is created", (status, text))
    names = lambda: [h[2].get("name") for h in switch.heard]
    report(wait_for(lambda: "AUTHORIZED" in names()), "and approved, which a webhook says", names())


def the_log_tells_requests(path):
    with open(path, encoding="utf-8") as log:
        lines = [json.loads(line) for line in log]
    keys = ["ts", "who", "dir", "method", "path", "status", "ms"]
    seen = {(line["who"], line["dir"], line["path"], line["status"]) for line in lines if "dir" in line}
    report(all([k for k in line if k != "why"] == keys for line in lines if "dir" in line),
           "a line has its members", lines[:3])
    report({("bluecode", "in", "/v4/payment", 200), ("bluecode", "in", "/v4/payment", -1),
            ("vipps", "in", "/epayment/v1/payments", 201)} <= seen, "requests in are told", seen)
    report(any(line[:2] == ("vipps", "out") and line[3] == 200 for line in seen), "requests out are told", seen)
    with open(path, encoding="utf-8") as log:
        text = log.read()
    report("merchant_tx_id" not in text and "secret" not in text and "Kaffe" not in text, "no contents are told")


def main():
    switch = Switch()
    conf = {"control": {"address": "127.0.0.1", "port": CONTROL}, "participants": [
        {"name": "bluecode", "fake": "bluecode", "address": "127.0.0.1", "port": BLUECODE,
         "settings": {"access_id": "till", "secret": "secret"}},
        {"name": "vipps", "fake": "vipps", "address": "127.0.0.1", "port": VIPPS,
         "switch_url": f"http://127.0.0.1:{switch.server_port}",
         "settings": {"msn": "123456", "currency": "NOK", "act_ms": 50, "webhook": "hush"}}]}
    with tempfile.TemporaryDirectory() as folder:
        file, log = os.path.join(folder, "sandbox.json"), os.path.join(folder, "log")
        with open(file, "w", encoding="utf-8") as f:
            json.dump(conf, f)
        with open(log, "w", encoding="utf-8") as f:
            sandbox = subprocess.Popen([SANDBOX, "--conf", file], stderr=f)
        try:
            up = wait_for(lambda: sandbox.poll() is None and ctl("book", "vipps")[0] == 0)
            report(up, "it is up", open(log, encoding="utf-8").read())
            if up:
                wrong_use()
                code = a_payment_is_in_the_book()
                misbehaviour_is_ordered(code)
                a_webhook_comes(switch)
                a_long_book_is_one_array(code)
        finally:
            died = sandbox.poll() is not None
            sandbox.send_signal(signal.SIGTERM)
            with open(log, encoding="utf-8") as f:
                report(not died and sandbox.wait(PATIENCE) == 0, "SIGTERM ends it cleanly", f.read()[-2000:])
        if up:
            the_log_tells_requests(log)


CONTROL, BLUECODE, VIPPS, UNUSED = free_ports(4)
main()
sys.exit(status())
