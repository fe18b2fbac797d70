"""Shared by the checks: the files of the tree, reading C without its comments, saying what is wrong.

A check prints one TAP line per rule and, above a failed one, "file:line: why" for each place. An
exception is a comment on the line or the line above: taste: RULE because REASON.
"""

import os
import re
import sys

SKIP_FOLDERS = re.compile(r"^(\.git|\.run|build.*|\.build.*|node_modules|__pycache__)$")
BLANKED = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def walk(root):
    """Every file of the tree, as a path relative to it, sorted."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if not SKIP_FOLDERS.match(f)]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names if name != ".git"]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def is_fake(path):
    """A file of a peer's folder that belongs to its fake."""
    name = os.path.basename(path)
    return path.startswith("adapters/fake/") or name.startswith("sandbox") or "fake" in name


def code(text):
    """C with comments and literals blanked, lines kept; include lines keep their names."""

    def blank(match):
        if match.group(0)[0] == '"':
            line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
            if re.match(r"\s*#\s*include", line):
                return match.group(0)
        return re.sub(r"[^\n]", " ", match.group(0))

    return BLANKED.sub(blank, text)


class Report:
    """Collects what is wrong, by rule."""

    def __init__(self, rules):
        self.faults = {rule: [] for rule in rules}

    def say(self, rule, path, line, why, text=None):
        """With the file's text, a line that carries an exception is let pass."""
        if text is not None:
            near = "\n".join(text.split("\n")[max(0, line - 2) : line])
            if re.search(rf"taste: {rule} because \S", near):
                return
        self.faults[rule].append((path, line, why))

    def end(self):
        for rule, faults in self.faults.items():
            for path, line, why in sorted(faults):
                print(f"{path}:{line}: {why}")
            print("not ok" if faults else "ok", "-", rule)
        sys.exit(any(self.faults.values()))
