"""A rule that no longer finds anything looks like a clean tree, so each is shown a fault of its kind."""

import os
import subprocess
import sys
import tempfile

HEAD = "/* %s: ten words and more, so that nobody has to complain about the opening. */\n"
# Split, so that the rules do not find them here.
FAULTS = {
    "layer": ("switch/core/a.c", '#include <event2' '/event.h>\n'),
    "money": ("switch/core/b.c", "static int64_t amo" "unt;\n"),
    "float": ("switch/core/c.c", "static dou" "ble rate;\n"),
    "banned": ("switch/io/d.c", "void f(char *p)\n{\n\tstr" "cpy(p, p);\n}\n"),
    "essay": ("switch/io/e.c", None),
    "guard": ("switch/io/f.h", "#ifndef F_H\n#endif\n"),
    "long": ("switch/io/g.c", "void f(void)\n{\n" + "\tf();\n" * 121 + "}\n"),
    "sentence": ("switch/io/h.def", 'STATE(A, "it is so")\nSTATE(B, "")\n'),
    "readme": ("switch/audit/i.c", "\n"),
    "place": ("switch/io/j.c", "/* see /ro" "ot/notes */\n"),
    "leftover": ("switch/io/k.c", "/* TO" "DO */\n"),
    "binary": ("gmon.out", "gmon\0\1"),
}
EXCUSED = ("switch/io/l.c", "/* taste: banned because the test needs one */\nchar *p = str" "cpy(q, r);\n")


def main():
    tree = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tree.py")
    with tempfile.TemporaryDirectory() as root:
        for path, text in [*FAULTS.values(), EXCUSED]:
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write("int x;\n" if text is None else HEAD % os.path.basename(path) + text)
        for folder in ("switch/core", "switch/io"):
            with open(os.path.join(root, folder, "README.md"), "w", encoding="utf-8") as file:
                file.write("# a folder\n")
        said = subprocess.run([sys.executable, "-B", tree, root], capture_output=True, text=True,
                              check=False).stdout.split("\n")
    bad = False
    for rule, (path, _) in FAULTS.items():
        where = os.path.dirname(path) if rule == "readme" else path
        end = said.index(f"not ok - {rule}") if f"not ok - {rule}" in said else -1
        found = [line for line in said[:max(end, 0)] if line.startswith(where + ":")]
        bad |= not found
        print("ok" if found else "not ok", "-", rule, "bites")
    excused = not any(line.startswith(EXCUSED[0]) for line in said)
    print("ok" if excused else "not ok", "- an exception with a reason is let pass")
    sys.exit(bad or not excused)


main()
