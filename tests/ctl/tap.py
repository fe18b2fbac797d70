"""TAP, for the scripts of this folder: a line for each thing looked at, and the exit status."""

failures = 0


def report(good, name, detail=""):
    global failures
    failures += not good
    print(("ok - " if good else "not ok - ") + name)
    if not good and detail:
        print("# " + str(detail)[:2000])


def status():
    return 1 if failures else 0
