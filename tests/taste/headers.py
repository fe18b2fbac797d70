"""Each header compiles alone, with its own folder's include paths: headers.py ROOT BUILD."""

import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys

from rules import Report, is_fake, walk


def flags_by_folder(root, build):
    """Include paths, defines and forced headers of each folder, from what meson compiles there."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    flags = {}
    for entry in commands:
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), root)
        if path.startswith("..") or not path.endswith(".c"):
            continue
        words = shlex.split(entry["command"])
        if os.path.basename(words[0]) in ("ccache", "sccache"):  # meson puts one in front where it is installed
            words = words[1:]
        keep = [w for w in words[1:] if re.match(r"-(I|isystem|D(?!_FORTIFY)|std=|W)", w)]
        for at, word in enumerate(words):
            if word == "-include":
                keep += ["-include", words[at + 1]]
        flags.setdefault(home_of(path), (words[0], entry["directory"], keep))
        flags[path[:-2] + ".h"] = (words[0], entry["directory"], keep)  # a file may see more than its folder
    return flags


def home_of(path):
    """Whose include paths a file sees: a fake has others than the adapter beside it."""
    return os.path.dirname(path), is_fake(path)


def compile_alone(root, build, header, flags):
    compiler, directory, keep = flags
    result = subprocess.run([*shlex.split(compiler), *keep, "-fsyntax-only", "-x", "c", "-"], cwd=directory,
                            input=f'#include "{os.path.join(os.path.abspath(root), header)}"\n',
                            capture_output=True, text=True, check=False)
    return header, result


def main():
    root, build = sys.argv[1:]
    report = Report(["alone"])
    flags = flags_by_folder(root, build)
    headers = [p for p in walk(root) if p.endswith(".h") and p.startswith(("switch/", "adapters"))]
    headers = [h for h in headers if home_of(h) in flags]
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        jobs = [pool.submit(compile_alone, root, build, h, flags.get(h) or flags[home_of(h)])
                for h in headers]
        for job in jobs:
            header, result = job.result()
            if result.returncode:
                report.say("alone", header, 1, "does not compile alone:\n" + result.stderr[:600])
    if not headers:
        report.say("alone", "switch", 1, "no header was found; is this the build folder?")
    report.end()


main()
