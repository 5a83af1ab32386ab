"""A PostgreSQL of our own, started as the broker is: on loopback, in a folder of its own, and gone afterwards.

Sources: https://www.postgresql.org/docs/current/app-initdb.html and
https://www.postgresql.org/docs/current/app-postgres.html; Debian keeps the programs of each major release apart.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.captured import output
from harness.system import processes
from harness.system.ports import free_port
from harness.system.waiting import wait_until

#: Names the folder of the programs, where they are neither on PATH nor where Debian has them.
PROGRAMS = "HARNESS_POSTGRESQL"
#: What its only role and its only database are called; nobody needs a password.
NAME = "postgres"
_DEBIAN = Path("/usr/lib/postgresql")
_INIT_DEADLINE = 60.0
_START_DEADLINE = 20.0
#: Whom it runs as where the harness is root, which PostgreSQL refuses to be.
_NOBODY = "nobody"


class NoPostgreSQL(Exception):
    """There is none here, or it does not start; the message says what to do."""


def find() -> Path:
    """Return the folder of its programs, of the newest release.

    Raises:
        NoPostgreSQL: there is none.
    """
    debian = sorted(_DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    named = os.environ.get(PROGRAMS)
    for folder in [Path(named)] if named else [*([Path(on_path).parent] if on_path else []), *debian]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NoPostgreSQL(
        f"there is no PostgreSQL; install Debian's package postgresql, or name the folder of initdb in {PROGRAMS}"
    )


@contextmanager
def running(env: Mapping[str, str], log: Path) -> Iterator[tuple[int, str]]:
    """Start one that keeps nothing; yield its port and its version, such as ``PostgreSQL 15.14``.

    What it prints comes into the folder of *log*.

    Raises:
        NoPostgreSQL: there is none here, or it does not start.
    """
    programs, port = find(), free_port()
    # Not in the folder of the run: whoever it runs as may not be let in there.
    with tempfile.TemporaryDirectory(prefix="harness-postgresql-") as folder:
        data = Path(folder) / "data"
        before = _as_somebody_else(Path(folder))
        make = [*before, str(programs / "initdb"), "--pgdata", str(data), "--username", NAME]
        options = ["--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        made = processes.run([*make, *options], dict(env), Path(folder), log, _INIT_DEADLINE)
        if made.exit_status != 0:
            raise NoPostgreSQL(f"initdb failed: {output.last_words(log)}")
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        command = [*before, str(programs / "postgres"), "-D", str(data), "-p", str(port)]
        command += [f"--{name}={value}" for name, value in settings.items()]
        with processes.started(command, dict(env), Path(folder), log) as child:
            wait_until(lambda: _ready(log) or child.exit_status is not None, _START_DEADLINE, every=0.02)
            if child.exit_status is not None or not _ready(log):
                raise NoPostgreSQL(f"PostgreSQL does not start: {output.last_words(log)}")
            try:
                yield port, _version(programs)
            finally:
                child.stop()  # it tells its own processes, which are sessions of their own, to end


def _as_somebody_else(folder: Path) -> list[str]:
    """Return what a command begins with that is not to be run as root, which is given *folder*.

    Raises:
        NoPostgreSQL: that cannot be.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    try:
        nobody = pwd.getpwnam(_NOBODY)
    except KeyError:
        setpriv = None
    if setpriv is None:
        raise NoPostgreSQL("PostgreSQL does not run as root; run the harness as somebody else")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return [setpriv, f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--"]


def _ready(log: Path) -> bool:
    return b"ready to accept connections" in log.read_bytes()


def _version(programs: Path) -> str:
    said = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d[\d.]*", said)
    return f"PostgreSQL {found[0]}" if found else "PostgreSQL"
