"""Ask a cell's own Python what it is: before anything is installed in it, afterwards, and at the end."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.captured import output
from harness.cell import distributions
from harness.cell.steps import Recorder
from harness.cells import Cell, again
from harness.errors import CellFailure, HarnessError
from harness.system import processes
from harness.system.files import write_atomically
from harness.verdict import Reason

#: Seconds for the answer.
_DEADLINE = 60
#: What every interpreter has that was built whole; Django and the chats need all of it.
_PARTS = ("ctypes", "hashlib", "sqlite3", "zlib")
#: Where the digest of the Django that tox installed stands in the environment.
_NOTED = ".harness-django"


@dataclass(frozen=True)
class Identity:
    """What the cell's own Python says of itself."""

    python: Path
    version: str
    implementation: str
    prefix: Path
    site_packages: tuple[Path, ...]
    #: The version of the Django that is imported, the folder it is in, and what :func:`digest` says of it.
    django: str
    django_folder: Path
    django_digest: str

    def check_django(self, env: dict[str, str], work: Path) -> None:
        """Make sure that the Django which is imported is still the one that was found at first.

        Installers know it by its metadata only; another distribution may have brought a ``django`` folder as well.

        Raises:
            CellFailure: it is another one.
        """
        ended = processes.run([str(self.python), "-c", _PROBE, ""], env, work, work / "django.log", _DEADLINE)
        facts = _facts((work / "django.log").read_text("utf-8", "replace"))
        found = facts.get("django") if not ended.exit_status else None
        if found != self.django:
            has = f"Django {found} is imported" if found else "no Django can be imported any more"
            raise CellFailure(Reason.INSTALLATION_FAILED, f"it replaced Django {self.django}: {has}")
        if Path(facts["folder"]) != self.django_folder or digest(self.django_folder) != self.django_digest:
            raise CellFailure(Reason.INSTALLATION_FAILED, f"it altered files of Django {self.django}")

    def imported(self, env: dict[str, str], work: Path, project: Path, modules: Sequence[str]) -> list[str]:
        """Return the names of the distributions that *modules* of *project* import, with all applications of Django.

        No name where that could not be found out.
        """
        log = work / "imported.log"
        processes.run([str(self.python), "-c", _IMPORTS, *modules], env, project, log, _DEADLINE)
        said = _last_line(log.read_text("utf-8", "replace"))
        return distributions.bringing(self.site_packages, set(said) if isinstance(said, list) else set())


def identify(cell: Cell, python: Path, recorder: Recorder, env: dict[str, str], any_django: bool = False) -> Identity:
    """Ask the cell's own Python what it is; with *any_django* its Django may be another than that of the cell's name.

    Raises:
        HarnessError: it is not what the cell's name says, or gives no answer.
        CellFailure: it is no whole Python: it crashes, or lacks a part of its own library.
    """
    command = [str(python), "-c", _PROBE, " ".join(_PARTS)]
    step, text = recorder.command("identify", command, env, recorder.work, _DEADLINE, _said)
    anew = f"make the environment again with `{again(cell.name, anew=True)}`"
    if step.outcome != "ok":
        if (number := -(step.exit_status or 0)) > 0:
            name = signal.Signals(number).name
            lacking = f"the Python of {cell.name} is ended by {name} when it imports its own {', '.join(_PARTS)}"
            raise CellFailure(Reason.ENVIRONMENT_FAILED, lacking)
        raise HarnessError(
            f"the Python of {cell.name} could not be asked for its version and Django: {step.cause}", anew
        )
    facts = _facts((recorder.work / "identify.log").read_text("utf-8", "replace"))
    if not facts:
        raise HarnessError(f"the Python of {cell.name} does not answer in JSON: {text[:200]!r}")
    if facts["lacking"]:
        what = "; ".join(f"its own {part} ({error})" for part, error in sorted(facts["lacking"].items()))
        raise CellFailure(Reason.ENVIRONMENT_FAILED, f"the Python of {cell.name} cannot import {what}")
    for what, found, wanted in (
        ("Python", facts["python"], cell.python_version),
        ("Django", facts["release"], cell.django_version),
    ):
        if tuple(found) != wanted and not (any_django and what == "Django"):
            asked = ".".join(str(part) for part in wanted)
            version = facts["version"] if what == "Python" else facts["django"]
            raise HarnessError(f"{cell.name} asks for {what} {asked}, and its environment has {what} {version}", anew)
    # Without a virtual environment the two are one.
    if facts["base"] != facts["prefix"]:
        recorder.scrub.learn(Path(facts["base"]), "<python>")
    return _identity(python, facts, anew)


def _identity(python: Path, facts: dict[str, Any], anew: str) -> Identity:
    prefix, folder = Path(facts["prefix"]), Path(facts["folder"])
    found, noted = digest(folder), prefix / _NOTED
    try:
        first = noted.read_text("ascii")
    except OSError:
        write_atomically(noted, (first := found).encode())
    if found != first:
        raise HarnessError("the files of Django are not those that tox installed", anew)
    return Identity(
        python=python,
        version=facts["version"],
        implementation=facts["implementation"],
        prefix=prefix,
        site_packages=tuple(Path(each) for each in facts["site_packages"]),
        django=facts["django"],
        django_folder=folder,
        django_digest=found,
    )


def digest(folder: Path) -> str:
    """Return the SHA-256 of the names, sizes and times of the Python files below *folder*; of none where it is absent.

    Contents would say the same, and take ten times as long.
    """
    whole = hashlib.sha256()
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(each for each in files if each.endswith(".py")):
            path = os.path.join(place, name)  # noqa: PTH118 - there are thousands of them
            about = os.stat(path)  # noqa: PTH116
            whole.update(f"{path.removeprefix(str(folder))}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
    return whole.hexdigest()


def _facts(text: str) -> dict[str, Any]:
    """Return what the probe printed; nothing where it is not there."""
    facts = _last_line(text)
    return facts if isinstance(facts, dict) else {}


def _last_line(text: str) -> Any:
    """Return the JSON in the last line of *text*, for what is imported may warn of something before; None without."""
    try:
        return json.loads(output.last_line(text))
    except ValueError:
        return None


def _said(text: str) -> str:
    facts = _facts(text)
    return f"Python {facts['version']}, Django {facts['django']}" if facts else ""


# Valid on every Python from 2.7.  The parts are those of the interpreter, so they come before Django.
_PROBE = """
import json, os, platform, sys
lacking = {}
for part in sys.argv[1].split():
    try:
        __import__(part)
    except Exception as error:
        lacking[part] = str(error)
import django
print(json.dumps({
    "version": platform.python_version(),
    "python": sys.version_info[:2],
    "implementation": platform.python_implementation(),
    "prefix": sys.prefix,
    "base": getattr(sys, "real_prefix", getattr(sys, "base_prefix", sys.prefix)),
    "site_packages": [path for path in sys.path if path.endswith("site-packages")],
    "django": django.get_version(),
    "release": django.VERSION[:2],
    "folder": os.path.dirname(os.path.abspath(django.__file__)),
    "lacking": lacking,
}))
"""

# As well.  What cannot be imported, such as the module that uWSGI brings itself, is left out.
_IMPORTS = """
import json, sys
import django
for module in [""] + sys.argv[1:]:
    try:
        __import__(module) if module else django.setup()
    except BaseException:
        pass
try:
    from channels.layers import get_channel_layer  # it is loaded when it is used first
    get_channel_layer()
except BaseException:
    pass
print(json.dumps(sorted(set(name.partition(".")[0] for name in list(sys.modules)))))
"""
