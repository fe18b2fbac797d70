"""switchctl rates load: a table of rates is taken whole or not at all. rates.py SWITCHCTL SWITCHD"""

import datetime
import os
import subprocess
import sys
import tempfile

from tap import report, status

PROGRAM, SWITCHD = sys.argv[1:3]
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
OLD = 'rates:\n  - {from: EUR, to: NOK, price: "11.5", at: "2026-01-01T00:00:00Z", until: "2036-01-01T00:00:00Z"}\n'
# The shape of eurofxref-daily.xml, as the bank publishes it.
ECB = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
\t<gesmes:subject>Reference rates</gesmes:subject>
\t<gesmes:Sender>
\t\t<gesmes:name>European Central Bank</gesmes:name>
\t</gesmes:Sender>
\t<Cube>
\t\t<Cube time='{day}'>
{rates}\t\t</Cube>
\t</Cube>
</gesmes:Envelope>"""
RATES = {"USD": "1.0850", "JPY": "180.13", "CZK": "24.305", "ISK": "150.30", "IDR": "17684.65", "NOK": "11.7096"}


def ecb(day=TODAY, rates=None):
    rows = "".join(f"\t\t\t<Cube currency='{c}' rate='{r}'/>\n" for c, r in (rates or RATES).items())
    return ECB.format(day=day, rates=rows)


def write(name, text):
    with open(os.path.join(DIR, name), "w") as f:
        f.write(text)
    return os.path.join(DIR, name)


def read():
    with open(os.path.join(DIR, "rates.yaml")) as f:
        return f.read()


def load(text, *arguments):
    environment = {k: v for k, v in os.environ.items() if k != "XW_OPERATORS"}
    return subprocess.run([PROGRAM, "rates", "load", write("new.xml", text), "--conf", CONF, *arguments],
                          capture_output=True, text=True, env=environment)


def refused(what, text, *arguments, words=""):
    write("rates.yaml", OLD)
    done = load(text, *arguments)
    report(done.returncode == 1 and words in done.stderr and read() == OLD, f"{what} is refused, and nothing changed",
           (done.returncode, done.stderr, read()))
    report(not os.path.exists(os.path.join(DIR, "rates.yaml.new")), "nothing is left behind")


def the_banks_file_is_taken():
    done = load(ecb(), "--source", "ecb", "--valid-hours", "30")
    report(done.returncode == 0 and done.stdout.startswith(f"6 rates of {TODAY}"), "the bank's file is taken", done)
    rows = [line for line in read().split("\n") if line.startswith("  - ")]
    wanted = [f'  - {{from: EUR, to: {c}, price: "{r}", at: "' for c, r in RATES.items()]
    report(len(rows) == 6 and all(row.startswith(start) for row, start in zip(rows, wanted)), "every rate, as it was written", rows)
    report(all("source: ecb" in row for row in rows), "and where it is from")
    checked = subprocess.run([SWITCHD, "--conf", CONF, "--check"], capture_output=True, text=True)
    report(checked.returncode == 0 and "6 rates" in checked.stdout, "the switch reads it", checked)


def the_day_has_a_time():
    """The concertation is at 14:10 by the clock in Frankfurt, in summer and in winter."""
    for year in (TODAY.year, TODAY.year + 1):
        for day, hour in ((f"{year + 1}-01-15", 13), (f"{year + 1}-07-15", 12)):
            load(ecb(day=day), "--source", "ecb", "--valid-hours", "48")
            end = (datetime.date.fromisoformat(day) + datetime.timedelta(days=2)).isoformat()
            report(f'at: "{day}T{hour}:10:00Z", until: "{end}T{hour}:10:00Z"' in read(), f"{day} begins at {hour}:10 UTC", read())


def what_is_wrong_is_refused():
    hours = ("--source", "ecb", "--valid-hours", "30")
    refused("a file of last month", ecb(day=TODAY - datetime.timedelta(days=30)), *hours, words="ended at")
    refused("a rate that is none", ecb(rates={"USD": "1.0850", "JPY": "N/A"}), *hours, words="without a currency or a rate")
    refused("a rate of nothing", ecb(rates={"USD": "0.0"}), *hours)
    refused("no rate", ecb(rates={"XXX": "1"}), *hours, words="left out")
    refused("no date", ecb(day="2026-02-30"), *hours, words="no date")
    refused("half a file", ecb()[:400], *hours)
    refused("a web page", "<html><body>503</body></html>", *hours)
    refused("a table of ours with a fault", OLD.replace("11.5", "0"), "--source", "own", words="rates.yaml.new:2: price")
    refused("a table for one who is not there", "rates: [", "--source", "own")


def a_table_of_ours_is_taken():
    done = load(OLD.replace("11.5", "12.25"), "--source", "own")
    report(done.returncode == 0 and "12.25" in read(), "a table of ours is taken", done)


def wrong_use():
    for arguments in ([], ["--source", "ecb"], ["--source", "own", "--valid-hours", "3"], ["--source", "x"],
                      ["--source", "ecb", "--valid-hours", "0"], ["--source", "ecb", "--valid-hours", "soon"]):
        done = load(ecb(), *arguments)
        report(done.returncode == 2, f"{arguments} is wrong use", done)


with tempfile.TemporaryDirectory() as DIR:
    os.mkdir(os.path.join(DIR, "participants"))
    write("participants/till.yaml", 'name: till\nnumber: "1"\nadapter: partner\ncurrency: EUR\nroles: [acquirer]\n')
    write("routes.yaml", "routes: []\n")
    write("rates.yaml", OLD)
    CONF = write("switchd.yaml", "name: t\ncode_guid: example.t\nenvironment: sandbox\norigin: http://127.0.0.1:1\n"
                 "partners: 127.0.0.1:1\noperators: 127.0.0.1:2\npostgres: dbname=x\nsecret: secret\nvault: vault\n"
                 "participants: participants\nroutes: routes.yaml\nrates: rates.yaml\n")
    the_banks_file_is_taken()
    the_day_has_a_time()
    what_is_wrong_is_refused()
    a_table_of_ours_is_taken()
    wrong_use()
sys.exit(status())
