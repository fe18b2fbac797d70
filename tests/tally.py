"""Counts the tests in a log and prints "passed failed skipped"; failures are named on stderr.

  tally.py meson testlog.json   meson's log: one JSON object a line, a program each. A program that
                                prints cmocka's or TAP's lines counts as its single tests.
  tally.py tap FILE             a script's TAP lines

A program that ended badly counts at least one failure, whatever it printed before. A TAP line that
says "not ok" is followed on stderr by what its test said of it, since a log of another machine may
be all that is left of the run.
"""

import json
import re
import sys

CMOCKA = re.compile(r"^\[ +(OK|FAILED|SKIPPED|ERROR) +\] (?!\d+ test)(\S+)", re.M)
TAP = re.compile(r"^(ok|not ok)\b *\d* *-? *(.*)$", re.M)
WHY = re.compile(r"^not ok\b *\d* *-? *(.*)\n((?:#.*\n)*)", re.M)
WHY_LINES = 10


def tap(text):
    seen = {"OK": [], "FAILED": [], "SKIPPED": []}
    for verdict, name in TAP.findall(text):
        if "# SKIP" in name:
            seen["SKIPPED"].append(name)
        else:
            seen["OK" if verdict == "ok" else "FAILED"].append(name)
    return seen


def cmocka(text):
    seen = {"OK": [], "FAILED": [], "SKIPPED": []}
    for verdict, name in CMOCKA.findall(text):
        kind = "FAILED" if verdict == "ERROR" else verdict
        if name not in seen[kind]:
            seen[kind].append(name)
    return seen


def program(entry):
    """One program of meson's log."""
    text = (entry.get("stdout") or "") + "\n" + (entry.get("stderr") or "")
    result, name = entry["result"], entry["name"]
    seen = cmocka(text)
    if not any(seen.values()):
        seen = tap(text)
    if result == "SKIP":
        return {"OK": [], "FAILED": [], "SKIPPED": seen["SKIPPED"] or [name]}
    if result in ("OK", "EXPECTEDFAIL"):
        if not any(seen.values()):
            seen["OK"].append(name)
    elif not seen["FAILED"]:
        seen["FAILED"].append(result.lower())
    seen["FAILED"] = [f"{name}: {test}" for test in seen["FAILED"]]
    return seen


def main():
    kind, path = sys.argv[1:]
    total = {"OK": 0, "FAILED": 0, "SKIPPED": 0}
    why = {}
    with open(path, encoding="utf-8", errors="replace") as log:
        if kind == "tap":
            text = log.read()
            parts, why = [tap(text)], dict(WHY.findall(text))
        else:
            parts = [program(json.loads(line)) for line in log]
    for seen in parts:
        for verdict, names in seen.items():
            total[verdict] += len(names)
        for name in seen["FAILED"]:
            print(f"failed: {name}", file=sys.stderr)
            for line in why.get(name, "").splitlines()[:WHY_LINES]:
                print(f"  {line}", file=sys.stderr)
    print(total["OK"], total["FAILED"], total["SKIPPED"])


main()
