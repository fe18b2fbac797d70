"""What the pure archives ask of the world: symbols.py ROOT BUILD. Compared with symbols.txt."""

import fnmatch
import os
import re
import subprocess
import sys

from rules import Report

# Archive -> the archives of ours that it may lean on; III.2 of the layers, seen by the linker.
LEANS_ON = {
    "xw_base": [],
    "xw_codec": ["xw_base"],
    "xw_qr": ["xw_base", "xw_codec"],
    "xw_proto": [],
    "xw_core": ["xw_base", "xw_proto"],
    "xw_canon": ["xw_base", "xw_proto", "xw_core"],
    "xw_adapters": ["xw_base", "xw_codec", "xw_qr", "xw_proto"],
    "xw_sandboxes": ["xw_base", "xw_codec"],
    "xw_work": ["xw_base", "xw_codec", "xw_qr", "xw_proto", "xw_core", "xw_canon", "xw_adapters"],
}


def find_archives(build):
    found = {}
    for folder, _, names in os.walk(build):
        for name in names:
            if match := re.fullmatch(r"lib(xw_\w+)\.a", name):
                found[match.group(1)] = os.path.join(folder, name)
    return found


def symbols(archive):
    """(defined, wanted): wanted symbols with the object that wants them first."""
    text = subprocess.run(["nm", "-A", archive], capture_output=True, text=True, check=True).stdout
    defined, wanted = set(), {}
    for line in text.split("\n"):
        match = re.match(r".*:([^:]+):[0-9a-f ]* ([A-Za-z]) (\S+)$", line)
        if not match:
            continue
        member, kind, name = match.groups()
        if kind == "U":
            wanted.setdefault(name, member)
        elif kind.isupper():
            defined.add(name)
    return defined, wanted


def allowed(root):
    """symbols.txt: "archive: pattern pattern ..."; the archive * stands for all."""
    patterns = {}
    with open(os.path.join(root, "tests/taste/symbols.txt"), encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0]
            if ":" in line:
                archive, names = line.split(":", 1)
                patterns.setdefault(archive.strip(), []).extend(names.split())
    return patterns


def main():
    root, build = sys.argv[1:]
    report = Report(["symbols", "mutants"])
    patterns = allowed(root)
    tables = {name: symbols(path) for name, path in find_archives(build).items() if name in LEANS_ON}
    for name, (defined, wanted) in sorted(tables.items()):
        ours = set(defined).union(*(tables[other][0] for other in LEANS_ON[name] if other in tables))
        may = patterns.get("*", []) + patterns.get(name, [])
        for symbol, member in sorted(wanted.items()):
            if symbol not in ours and not any(fnmatch.fnmatchcase(symbol, p) for p in may):
                report.say("symbols", f"lib{name}.a({os.path.basename(member)})", 1,
                           f"asks for {symbol}, which tests/taste/symbols.txt does not allow")
    for name, path in find_archives(build).items():
        if "xw_mutant" in set().union(*symbols(path)):
            report.say("mutants", f"lib{name}.a", 1, "holds a bug of switch/base/mutant.def")
    if "xw_base" not in tables:
        report.say("symbols", build, 1, "no archive was found; is this the build folder?")
    report.end()


main()
