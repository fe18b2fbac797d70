"""switchctl scan --lines: the contract that scripts rely on. scan.py SWITCHCTL VECTORS"""

import glob
import json
import os
import subprocess
import sys
import time

from tap import report, status

PROGRAM, VECTORS = sys.argv[1:3]
LINES = 100_000
SECONDS = 2.0


def scan(data):
    done = subprocess.run([PROGRAM, "scan", "--lines"], input=data, capture_output=True)
    report(done.returncode == 0, "exit status is 0", done.stderr)
    return done.stdout.decode().split("\n")[:-1]


def vectors():
    for name in sorted(glob.glob(os.path.join(VECTORS, "*.tsv"))):
        with open(name, "rb") as f:
            for line in f.read().split(b"\n")[1:]:
                if line:
                    yield line.split(b"\t")


def answers_are_those_of_the_vectors(rows):
    got = scan(b"".join(r[5] + b"\n" for r in rows))
    report(len(got) == len(rows), "one answer for each line", f"{len(got)} of {len(rows)}")
    wrong = []
    for row, text in zip(rows, got):
        codes = row[4].decode()
        wanted = {"format": row[1].decode(), "strict": int(row[2]), "accept": int(row[3]),
                  "codes": [] if codes == "-" else codes.split(","), "fields": json.loads(row[6])}
        answer = json.loads(text)
        # Compared as text too: 1, 1.0 and True are equal to Python.
        if answer != wanted or json.dumps(answer, sort_keys=True) != json.dumps(wanted, sort_keys=True):
            wrong.append(row[0].decode())
    report(not wrong, f"{len(rows)} vectors give their answers", wrong)


def odd_lines_have_answers():
    lines = {
        b"": ("unknown", ["E_EMPTY"]),
        b"\\q": ("unknown", ["E_ESCAPE"]),
        b"\\": ("unknown", ["E_ESCAPE"]),
        b"\\x1": ("unknown", ["E_ESCAPE"]),
        b"\\x1g": ("unknown", ["E_ESCAPE"]),
        b"123456\\": ("unknown", ["E_ESCAPE"]),
        b"\\x31\\x32\\x33\\x34\\x35\\x36": ("wallet-code", []),
        b"\\x31\\x32\\x33\\x34\\x35\\x3a": ("unknown", ["E_UNKNOWN"]),
        b"123456\\n\\t\\r\\x00": ("wallet-code", ["W_TRAILING"]),
        b"123456\r": ("wallet-code", ["W_TRAILING"]),
        b"12\\\\3456": ("unknown", ["E_UNKNOWN"]),
        b"\xff\x00": ("unknown", ["W_TRAILING", "E_UTF8"]),
        b"000201" + b"5" * 300_000: ("emv-mpm", ["E_SIZE"]),
        b"987654": ("wallet-code", []),  # the last line has no end
    }
    got = [json.loads(text) for text in scan(b"\n".join(lines))]
    wrong = [(line[:40], answer) for (line, wanted), answer in zip(lines.items(), got)
             if (answer["format"], answer["codes"]) != wanted
             or set(answer) != {"format", "strict", "accept", "codes", "fields"}]
    report(len(got) == len(lines) and not wrong, "odd lines have their answers", wrong)
    report(scan(b"") == [], "no line, no answer")


def answers_before_it_reads_on():
    with subprocess.Popen([PROGRAM, "scan", "--lines"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, bufsize=0) as asked:
        for _ in range(3):
            asked.stdin.write(b"123456\n")
            report(b"blik" in asked.stdout.readline(), "an answer while the input is open")
        asked.stdin.close()


def many_lines_in_time(rows):
    data = b"".join(rows[i % len(rows)][5] + b"\n" for i in range(LINES))
    begin = time.monotonic()
    done = subprocess.run([PROGRAM, "scan", "--lines"], input=data, stdout=subprocess.PIPE)
    taken = time.monotonic() - begin
    report(done.stdout.count(b"\n") == LINES, f"{LINES} lines")
    print(f"# {taken:.2f} s for {LINES} lines, budget {SECONDS} s on an idle machine")
    if "--timed" in sys.argv:
        report(taken < SECONDS, "in time", taken)


def other_uses():
    for arguments, status in ((["scan"], 2), ([], 2), (["nonsense"], 2), (["help"], 0),
                              (["scan", "123456"], 0), (["scan", "\x1b[2J"], 0)):
        done = subprocess.run([PROGRAM] + arguments, capture_output=True)
        report(done.returncode == status, f"{arguments} ends with {status}", done)
        report(b"\x1b" not in done.stdout, "nothing that a terminal would obey")
    turned = "00020126160012com.example0520400005303702" "5802SG5907SH\u202ePOXY6004TOWN6304"
    explained = subprocess.run([PROGRAM, "scan", turned + sealed(turned)], capture_output=True)
    report("\u202e" not in explained.stdout.decode() and "\\u202e" in explained.stdout.decode(),
           "a character that turns the line around is shown, not sent", explained.stdout)


def sealed(text):
    crc = 0xFFFF
    for byte in text.encode():
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return f"{crc:04X}"


ROWS = list(vectors())
answers_are_those_of_the_vectors(ROWS)
odd_lines_have_answers()
answers_before_it_reads_on()
many_lines_in_time(ROWS)
other_uses()
sys.exit(status())
