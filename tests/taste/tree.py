"""The rules that can be read off the sources: tree.py ROOT. See README.md for what each is good for."""

import os
import re
import sys

from rules import Report, code, is_fake, read, walk

# Who may include whose headers: folder -> folders, besides itself. The build enforces most of it;
# this says it in one place, and sees what a too generous include path would let through.
LAYERS = {
    "switch/base": [],
    "switch/codec": ["switch/base"],
    "switch/codec/qr": ["switch/base", "switch/codec"],
    "switch/core": ["switch/base"],
    "adapters": ["switch/base", "switch/codec", "switch/codec/qr", "proto"],
    "adapters/fake": ["switch/base", "switch/codec"],
    "switch/work": ["switch/base", "switch/codec", "switch/codec/qr", "switch/core", "proto", "adapters"],
    "switch/seal": ["switch/base", "switch/codec"],
    "switch/io": ["switch/base", "switch/codec"],
    "switch/sandbox": ["switch/base", "switch/codec", "switch/io", "adapters/fake"],
    "switch/app": ["switch/base", "switch/codec", "switch/codec/qr", "switch/core", "switch/work",
                   "switch/io", "switch/seal", "proto", "adapters"],
    "switch/ctl": ["switch/base", "switch/codec", "switch/codec/qr", "switch/core", "switch/io",
                   "proto", "adapters"],
    "switch/audit": ["switch/base", "switch/codec", "switch/core", "proto", "adapters"],
}
# A protocol that several adapters speak, from one end or the other.
SHARED_BY_PEERS = {
    "adapters/alipayplus": ["adapters/aps"],
    "adapters/apsmember": ["adapters/aps"],
}
# Single files that may see more, and why.
MORE = {
    "switch/core/canon.c": ["proto"],  # the one place where protobuf becomes a plain struct
    "switch/core/canon.h": ["proto"],
    "switch/ctl/clearing.h": ["switch/app"],  # windows are by each participant's calendar
    "switch/ctl/rates.c": ["switch/app"],
    "switch/ctl/route.c": ["switch/app"],  # a configuration is read, and explained, by the switch's own code
    "switch/audit/replay.c": ["switch/app"],  # the machine runs again, with its configuration as the switch reads it
}
PURE = ("switch/base", "switch/codec", "switch/core", "switch/work", "switch/seal", "adapters")
# The part of the C library that has no effects.
PURE_LIBC = {"stdbool.h", "stddef.h", "stdint.h", "stdalign.h", "string.h", "limits.h", "inttypes.h",
             "stdlib.h"}
# Libraries, and the files (or folders) that alone may include them.
LIBRARIES = {
    "jansson.h": ["switch/codec/json.c"],
    "libxml/": ["switch/codec/xml.c"],
    "qrencode.h": ["switch/codec/qr/draw.c"],
    "png.h": ["switch/codec/qr/draw.c"],
    "openssl/": ["switch/base/digest.c", "switch/io/", "switch/app/", "switch/audit/", "switch/ctl/"],
    "event2/": ["switch/io/", "switch/app/", "switch/sandbox/", "bench/"],
    "libpq-fe.h": ["switch/io/", "switch/audit/"],
    "hiredis/": ["switch/io/"],
    "protobuf-c/": ["switch/core/canon.c", "switch/work/", "adapters/", "proto/"],
    "unistd.h": ["switch/base/check.c"],  # a dying process writes one line
    "sanitizer/asan_interface.h": ["switch/base/arena.c"],  # poisons what is not live
    "stdio.h": ["switch/base/pure.h"],  # to ban what is in them
    "time.h": ["switch/base/pure.h"],
}
# Libraries that one file of ours wraps; whichever it is, it is the only one.
ONE_FILE = ("cyaml/", "yaml.h", "seccomp.h")

# Calls that no file needs: each has a bounded or safe form.
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|strncpy|atoi|atol|atof|alloca|"
                    r"system|popen|tmpnam|mktemp)\s*\(")
MONEY_INSIDE = re.compile(r"\b(minor_|ccy_)\b")
MONEY_BARE = re.compile(r"\b(?:u?int(?:16|32|64)?(?:_t)?|long|unsigned|size_t)\s+\**\w*amount\w*\b(?!\s*\()")
FLOAT = re.compile(r"\b(double|float)\b")
SQL_FLOAT = re.compile(r"\b(double precision|real|float[48]?|money)\b(?!\s*\()", re.I)
LEFTOVER = re.compile(r"\b(TODO|FIXME|HACK)\b")
# Written so that the patterns do not find themselves.
MACHINE = re.compile(r"(?<![\w./-])/(?:[w]ork|[f]arm|[r]oot|[h]ome/\w+)/|"
                     r"\b(?:deb|security|registry|proxy|snapshot)\.[a-z]+\.(?:org|com|io)\b|"
                     r"\b(?:[C]laude|[A]nthropic|[C]hatGPT|[O]penAI|[C]opilot)\b")
# What compilers, coverage, patches and editors leave behind, where it is text.
GENERATED = re.compile(r"\.(?:pb-c\.[ch]|gcov|orig|rej|swp)$")
CORPUS = "/corpus/"  # what fuzzers have found is made of any bytes
LINES_MAX = 120
# Folders whose README is still owed; nothing is added here.
README_OWED = set()


def folder_of(path):
    return os.path.dirname(path)


def layer_of(folder):
    """The row of LAYERS for a folder; a peer's folder has that of the adapters."""
    if folder.startswith("adapters/") and folder != "adapters/fake":
        return "adapters"
    return folder


def allowed_folders(path, header_folder, header):
    """May this file include that header of ours?"""
    folder, name = folder_of(path), os.path.basename(path)
    if folder.startswith("adapters/") and folder != "adapters/fake":
        fake = is_fake(name)
        if header_folder == folder:  # a fake does not lean on the code that it is to judge
            return is_fake(header) == fake
        if fake:
            return header_folder in LAYERS["adapters/fake"] + ["adapters/fake"]
        return header_folder in LAYERS["adapters"] + ["adapters"] + SHARED_BY_PEERS.get(folder, [])
    return header_folder in [folder] + LAYERS[folder] + MORE.get(path, [])


def check_includes(report, path, text, headers):
    folder = folder_of(path)
    bound = folder.startswith(("switch/", "adapters"))
    if bound and layer_of(folder) not in LAYERS:
        report.say("layer", path, 1, f"{folder} has no row in LAYERS of tests/taste/tree.py")
        return
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        quote, header = match.groups()
        if quote == '"' and header.endswith(".def"):
            continue
        if quote == '"' and bound:
            home = "proto" if header.endswith(".pb-c.h") else headers.get(header)
            if home is None:
                report.say("layer", path, number, f'"{header}" is no header of ours; use <>', text)
            elif not allowed_folders(path, home, header):
                report.say("layer", path, number, f"{folder} must not use {home} ({header})", text)
        if quote == "<":
            check_library(report, path, number, header, text, bound)


def check_library(report, path, number, header, text, bound):
    for name, homes in LIBRARIES.items():
        if header.startswith(name):
            pure_only = name in ("unistd.h", "stdio.h", "time.h", "sanitizer/asan_interface.h")
            if pure_only and not path.startswith(PURE):
                return
            if bound and not any(path == home or home[-1] == "/" and path.startswith(home) for home in homes):
                report.say("layer", path, number, f"<{header}> belongs to {', '.join(homes)}", text)
            return
    if path.startswith(PURE) and header not in PURE_LIBC and not header.startswith(ONE_FILE):
        report.say("layer", path, number, f"<{header}> in a pure folder", text)


def check_one_file(report, texts):
    for library in ONE_FILE:
        users = [p for p, t in texts.items() if p.startswith(("switch/", "adapters/")) and
                 re.search(rf"#\s*include\s+<{library}", t)]
        for path in users[1:]:
            report.say("layer", path, 1, f"<{library}> is wrapped by {users[0]} alone")


def check_code(report, path, text):
    clean = code(text)
    pure = path.startswith(PURE)
    product = path.startswith(("switch/", "adapters/")) and not is_fake(path)  # theirs is another book
    for number, line in enumerate(clean.split("\n"), 1):
        if (match := BANNED.search(line)) and path != "switch/base/pure.h":
            report.say("banned", path, number, f"{match.group(1)} has a safer form", text)
        if path not in ("switch/base/money.c", "switch/base/money.h"):
            if MONEY_INSIDE.search(line):
                report.say("money", path, number, "only money.c looks inside struct money", text)
            if product and MONEY_BARE.search(line):
                report.say("money", path, number, "an amount is a struct money, not a number", text)
        if pure and FLOAT.search(line):
            report.say("float", path, number, "no floating point where money passes", text)


def check_length(report, path, text):
    lines = code(text).split("\n")
    start = None
    longest = []
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start:
            length = number - start - 1
            body = "\n".join(text.split("\n")[max(0, start - 4) : number])
            longest.append((length, path, start))
            if length > LINES_MAX and not re.search(r"taste: long because \S", body):
                report.say("long", path, start, f"a function of {length} lines; is there a second thing in it?")
            start = None
    return longest


def check_head(report, path, text):
    name = os.path.basename(path)
    match = re.match(r"/\*.*?\*/", text, re.S)
    words = re.sub(r"[\s*/]+", " ", match.group(0)).split() if match else []
    if name.endswith(".c") and not path.startswith("tests/") and len(words) < 10:
        report.say("essay", path, 1, "opens with a paragraph: what it does, the hard thing, what it must never do")
    elif len(words) < 3:
        report.say("essay", path, 1, "opens with a comment that says what it is")
    if name.endswith(".h"):
        end = re.sub(r"\W", "_", name).upper()  # a folder's name may stand before it
        if not re.search(rf"^#ifndef (XW_(?:\w+_)?{end})\n#define \1$", text, re.M):
            report.say("guard", path, 1, f"the guard is XW_{end}")


def check_def(report, path, text):
    """In a list that carries sentences for people, every row does. A list of bare names is fine."""
    clean = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)
    rows = {}
    for match in re.finditer(r"^([A-Z][A-Z_0-9]*)\(.*?\)$", clean, re.M | re.S):
        sentence = re.search(r'"((?:\\.|[^"\\])*)"\s*\)$', match.group(0))
        line = clean.count("\n", 0, match.start()) + 1
        rows.setdefault(match.group(1), []).append((line, sentence and sentence.group(1)))
    for name, found in rows.items():
        if not any(sentence for _, sentence in found):
            continue
        for line, sentence in found:
            if not sentence or not re.search(r"\w{2}", sentence):
                report.say("sentence", path, line, f"{name}(...) ends in a sentence that people read", text)


def check_text(report, path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if MACHINE.search(line):
            report.say("place", path, number, "names a machine, a host of packages or a tool", text)
        if LEFTOVER.search(line) and path != "tests/taste/tree.py":
            report.say("leftover", path, number, "unfinished work is not committed", text)


def check_binary(report, root, path):
    with open(os.path.join(root, path), "rb") as file:
        if b"\0" in file.read():
            report.say("binary", path, 1, "is no text: object, profile, core dump, picture?")
    if GENERATED.search(path):
        report.say("binary", path, 1, "is made from other files, or left behind")


def check_readme(report, paths):
    have = {folder_of(p) for p in paths if os.path.basename(p) == "README.md"}
    # Data and build lines explain themselves in the folder above.
    source = re.compile(r"\.(c|h|def|py|sh|sql|mjs|js|proto)$")
    for folder in sorted({folder_of(p) for p in paths if source.search(p)} - {""}):
        above = os.path.dirname(folder)
        if folder not in have | README_OWED and not (folder == "schema/zero" and above in have):
            report.say("readme", folder, 1, "a folder explains itself in a README.md")


def main():
    root = sys.argv[1]
    report = Report(["layer", "money", "float", "banned", "essay", "guard", "long", "sentence",
                     "readme", "place", "leftover", "binary"])
    paths = walk(root)
    headers, texts, lengths = {}, {}, []
    for path in paths:
        if path.endswith((".c", ".h")):
            texts[path] = read(root, path)
        if path.endswith(".h") and path.startswith(("switch/", "adapters/", "proto/")):
            name = os.path.basename(path)
            if name in headers:
                report.say("layer", path, 1, f"{headers[name]} has a {name} too; includes are flat")
            headers[name] = folder_of(path)
    for path, text in texts.items():
        check_includes(report, path, text, headers)
        check_code(report, path, text)
        check_head(report, path, text)
        lengths += check_length(report, path, text)
    check_one_file(report, texts)
    for path in paths:
        if path.endswith(".def"):
            check_def(report, path, read(root, path))
        if path.startswith("schema/") and path.endswith(".sql"):
            text = read(root, path)
            for number, line in enumerate(re.sub(r"--.*|'[^']*'", "", text).split("\n"), 1):
                if SQL_FLOAT.search(line):
                    report.say("float", path, number, "no floating point in the books", text)
        if CORPUS not in path:
            check_binary(report, root, path)
            check_text(report, path, read(root, path))
    check_readme(report, paths)
    print("# longest:", ", ".join(f"{p}:{s} {n}" for n, p, s in sorted(lengths, reverse=True)[:5]))
    report.end()


main()
