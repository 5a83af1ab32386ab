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


def main() -> int:
    command, fake = sys.argv[1], os.environ["FAKE"]
    if command == "runserver":
        import server

        return server.serve(fake, int(sys.argv[2]))
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
