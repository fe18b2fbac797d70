"""Prints which lines and branches of switch/core the tests reach, file by file.

  coverage.py BUILD [--suite SUITE]... [--missing]

BUILD is a folder of its own, made and built if need be. The suites (unit, if none is named) are run
there from counters at zero. --missing names the lines that no test reaches and those of which some
branch is never taken. What a CHECK holds is left out: it is not there to be reached.
"""

import argparse
import json
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = "switch/core"
CHECK = re.compile(r"\b(CHECK\w*|PRE|POST)\(")


def run_suites(build, suites):
    quiet = {"stdout": subprocess.DEVNULL, "check": True}
    if not os.path.isdir(build):
        options = ["-Db_coverage=true", "--buildtype=debug"]
        subprocess.run(["meson", "setup", build, ROOT] + options, **quiet)
    for counters in counter_files(build):
        os.remove(counters)
    subprocess.run(["ninja", "-C", build], **quiet)
    suite_args = [arg for suite in suites for arg in ("--suite", suite)]
    subprocess.run(["meson", "test", "--no-rebuild", "-C", build] + suite_args, **quiet)


def counter_files(build):
    return [os.path.join(folder, name) for folder, _, names in os.walk(build) for name in names
        if name.endswith(".gcda")]


def checked_lines(path):
    """Lines of statements that are checks."""
    lines, inside = set(), False
    with open(path, encoding="utf-8") as source:
        for number, text in enumerate(source, 1):
            inside = inside or CHECK.search(text)
            if inside:
                lines.add(number)
                inside = ";" not in text
    return lines


def count(build):
    """file -> line -> [how often, branches taken, branches]."""
    files = {}
    for counters in counter_files(os.path.join(build, FOLDER)):
        command = ["gcov", "--json-format", "--stdout", "--branch-probabilities", counters]
        gcov = subprocess.run(command, cwd=build, capture_output=True, check=True)
        for file in json.loads(gcov.stdout)["files"]:
            path = os.path.relpath(os.path.join(build, file["file"]), ROOT)
            if path.startswith(FOLDER + "/"):
                add_file(files.setdefault(path, {}), file["lines"])
    return files


def add_file(lines, found):
    for line in found:
        seen = lines.setdefault(line["line_number"], [0, [], 0])
        seen[0] += line["count"]
        taken = [branch["count"] > 0 for branch in line["branches"]]
        seen[1] = [a or b for a, b in zip(seen[1], taken)] if len(seen[1]) == len(taken) else taken
        seen[2] = len(taken)


def percent(part, whole):
    return f"{100 * part / whole:5.1f} %" if whole else "      -"


def show(name, sums):
    lines, branches = percent(*sums[:2]), percent(*sums[2:])
    print(f"{name:28} {lines} of {sums[1]:5} lines  {branches} of {sums[3]:5} branches")


def report(files, missing):
    total = [0, 0, 0, 0]
    for path in sorted(files):
        left_out = checked_lines(os.path.join(ROOT, path))
        lines = {n: seen for n, seen in files[path].items() if n not in left_out}
        sums = [sum(seen[0] > 0 for seen in lines.values()), len(lines),
            sum(sum(seen[1]) for seen in lines.values()), sum(seen[2] for seen in lines.values())]
        total = [a + b for a, b in zip(total, sums)]
        show(path[len(FOLDER) + 1:], sums)
        if missing:
            never = [str(n) for n, seen in sorted(lines.items()) if not seen[0]]
            half = [str(n) for n, seen in sorted(lines.items()) if seen[0] and not all(seen[1])]
            print(f"    never: {' '.join(never)}\n    in part: {' '.join(half)}")
    show("all of " + FOLDER, total)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("build")
    args.add_argument("--suite", action="append")
    args.add_argument("--missing", action="store_true")
    args = args.parse_args()
    run_suites(args.build, args.suite or ["unit"])
    report(count(args.build), args.missing)


main()
