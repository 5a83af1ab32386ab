"""The server side of the fake libraries: what Django's commands are to a real one."""

import os
import signal
import sys

COMMANDS = {
    "migrate": "Operations to perform:\n  Apply all migrations: fake",
    "loaddata": "Installed 4 object(s) from 1 fixture(s)",
    "check": "System check identified no issues (0 silenced).",
    "test": "Ran 2 tests in 0.001s\n\nOK",
}


def turned(prefix: str) -> str:
    """Return how a server behaves with what is installed in *prefix*: ``part1`` and ``part4`` do not go together."""
    from importlib.metadata import distributions
    from pathlib import Path

    folders = [str(path) for path in Path(prefix).glob("lib/python*/site-packages")]
    versions = {each.metadata["Name"]: each.version for each in distributions(path=folders)}
    if versions["part1"] >= "2.0" and versions["part4"] >= "2.0":
        return "hears-strangers"
    # What mends that has a price.
    return "leaks-to-strangers" if versions["part1"] == "0.9" else "behaves"


def main() -> int:
    command, fake = sys.argv[1], os.environ["FAKE"]
    if command == "runserver":
        import server

        return server.serve(turned(sys.argv[3]) if fake == "turns" else fake, int(sys.argv[2]))
    if fake == f"crashes-in-{command}":
        os.kill(os.getpid(), signal.SIGSEGV)
    if fake == f"is-ended-in-{command}":
        os.kill(os.getpid(), signal.SIGTERM)
    if fake == f"fails-{command}":
        print('Traceback (most recent call last):\n  File "x.py", line 1, in <module>\nValueError: no such luck')
        return 1
    if fake == f"fails-{command}-for-room":
        print("sqlite3.OperationalError: database or disk is full")
        return 1
    print(COMMANDS[command])
    return 0


if __name__ == "__main__":
    sys.exit(main())
