"""Generated text that lies in the tree is what its generator prints now: printed.py ROOT BUILD [--write].

A README or a schema file takes in the output of one of our programs between two marks,

    <!-- printed: PROGRAM ARGS -->          -- printed: PROGRAM ARGS
    ...                                     ...
    <!-- /printed -->                       -- /printed

so that the diagram that people read and the constraint that the database keeps are those of the
tables in the code. With --write the text is brought up to date instead.
"""

import os
import re
import shlex
import subprocess
import sys

from rules import Report, read, walk

MARK = re.compile(r"^(?P<open>(?:<!--|--) printed: (?P<command>[^\n]*?)(?: -->)?\n)(?P<text>.*?)"
                  r"(?P<close>^(?:<!--|--) /printed)", re.M | re.S)


def find_program(build, name):
    for folder, _, names in os.walk(build):
        path = os.path.join(folder, name)
        if name in names and os.access(path, os.X_OK):
            return path
    return None


def main():
    root, build = sys.argv[1:3]
    write = "--write" in sys.argv[3:]
    report = Report(["printed"])
    for path in walk(root):
        if not path.endswith((".md", ".sql")) or path.startswith("tests/taste/"):
            continue
        text = new = read(root, path)
        for match in MARK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            words = shlex.split(match.group("command"))
            program = find_program(build, words[0])
            if not program:
                report.say("printed", path, line, f"no program {words[0]} was built")
                continue
            printed = subprocess.run([program, *words[1:]], capture_output=True, text=True, check=True).stdout
            if printed != match.group("text"):
                new = new.replace(match.group(0), match.group("open") + printed + match.group("close"))
                if not write:
                    report.say("printed", path, line, "stale: tests/taste/printed.py ROOT BUILD --write")
        if write and new != text:
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(new)
    report.end()


main()
