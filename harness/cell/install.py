"""Install the library into the cell's environment, and measure what that adds."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from uv import find_uv_bin

from harness.captured import output
from harness.cell.steps import Recorder
from harness.cells import Cell
from harness.environments import legacy
from harness.environments.names import project_of
from harness.errors import CellFailure, HarnessError
from harness.libraries.setup import Setup
from harness.results.result import Claims, Installation, Step
from harness.system import processes
from harness.system.files import write_atomically
from harness.verdict import Reason

#: Seconds for an installer; compiling a large package takes minutes.
DEADLINE = 900.0

_T = TypeVar("_T")
#: What the installer printed, for runs that find the library installed.
_PRINTED = ".harness-install.log"
#: What a classifier names a version by.
_VERSION = re.compile(r"\d+(?:\.\d+)?")
_OUT_OF_REACH = "the library could not be fetched: the package index is out of reach"


@dataclass(frozen=True)
class Identity:
    """What the cell's own Python says of itself."""

    python: Path
    version: str
    implementation: str
    prefix: Path
    site_packages: tuple[Path, ...]
    django: str


@dataclass(frozen=True)
class Installed:
    """The library's installation, measured when it was made."""

    installation: Installation
    seconds: float
    date: str
    packages: dict[str, str]
    installer: str


class _Note(msgspec.Struct, frozen=True):
    """What stands in the environment about the installation made there."""

    requirements: list[str]
    command: str
    added: list[str]
    added_bytes: int
    seconds: float
    date: str
    installer: str


def packages(identity: Identity) -> dict[str, str]:
    """Return the distributions in the cell's environment and their versions."""
    found = importlib.metadata.distributions(path=[str(folder) for folder in identity.site_packages])
    return dict(sorted((each.metadata["Name"], each.version) for each in found if each.metadata["Name"]))


def install(
    cell: Cell,
    setup: Setup,
    identity: Identity,
    recorder: Recorder,
    env: dict[str, str],
    frozen: list[str] | None = None,
) -> Installed:
    """Install *setup*'s library and server, or find them installed by an earlier run.

    With *frozen* exactly those versions, of a result of the past.

    Raises:
        CellFailure: the installer failed, or put another Django in place.
    """
    wanted, pins = frozen or setup.requirements(cell), setup.pins(cell)
    base = _base(identity, setup.library.requirements(cell))
    note_file = identity.prefix / ".harness-install.json"
    note = _read(note_file, _Note)
    if note is not None and note.requirements == wanted and packages(identity) == {**base, **_pairs(note.added)}:
        step = Step(name="install", outcome="ok", command=note.command, exit_status=0)
        recorder.add(step, 0.0, shown=msgspec.structs.replace(step, text=f"already installed, on {note.date}"))
        if (printed := identity.prefix / _PRINTED).exists():
            recorder.keep("install", printed)
    else:
        _restore(cell, identity, base, recorder, env)
        note = _install(cell, setup, wanted, identity, recorder, env, base)
        shutil.copyfile(recorder.work / "install.log", identity.prefix / _PRINTED)
        write_atomically(note_file, msgspec.json.encode(note))
    installation = Installation(
        requirements=wanted,
        pins=pins,
        added=note.added,
        added_bytes=note.added_bytes,
        claims=_claims(identity, setup.library.distribution),
    )
    return Installed(installation, note.seconds, note.date, {**base, **_pairs(note.added)}, note.installer)


def _base(identity: Identity, requirements: list[str]) -> dict[str, str]:
    """Return what tox put into the environment: noted before anything else was, and gone with it.

    Raises:
        HarnessError: it was not empty of the library's own *requirements* when it was first seen.
    """
    file = identity.prefix / ".harness-base.json"
    base = _read(file, dict[str, str])
    if base is None:
        base = packages(identity)
        names = {project_of(requirement) for requirement in requirements}
        if held := [name for name in base if project_of(name) in names]:
            raise HarnessError(
                f"the environment holds {', '.join(held)} already, so what installing it adds cannot be measured",
                "make it again with `tox -r -e` and the name of the cell",
            )
        write_atomically(file, msgspec.json.encode(base))
    return base


def _restore(cell: Cell, identity: Identity, base: dict[str, str], recorder: Recorder, env: dict[str, str]) -> None:
    """Take out of the environment what an interrupted installation, or another one, left there.

    Raises:
        HarnessError: the environment is still not as tox made it.
    """
    extra = [name for name in packages(identity) if name not in base]
    if extra:
        if cell.python in legacy.VERSIONS:
            command = [str(identity.python), "-m", "pip", "uninstall", "--yes", *extra]
        else:
            command = [find_uv_bin(), "pip", "uninstall", "--python", str(identity.python), *extra]
        log = recorder.work / "uninstall.log"
        processes.run(command, env, identity.prefix, log, DEADLINE)
        recorder.keep("uninstall", log)
    if packages(identity) != base:
        raise HarnessError(
            f"the environment of {cell.name} is not as tox made it", f"make it again with `tox -r -e {cell.name}`"
        )


def _install(
    cell: Cell,
    setup: Setup,
    wanted: list[str],
    identity: Identity,
    recorder: Recorder,
    env: dict[str, str],
    before: dict[str, str],
) -> _Note:
    # The cell's Django is part of the question: an installer must not answer another one.
    requirements = [*wanted, f"Django=={identity.django}"]
    if cell.python in legacy.VERSIONS:
        installer = f"pip {before.get('pip', '')}".strip()
        if not legacy.locked(cell.python, setup.library.name):
            wanted_for = f"{setup.library.name} for Python {cell.python}"
            text = f"nobody has listed the versions of {wanted_for} in {legacy.LOCKS_SHOWN}"
            raise CellFailure(Reason.NOT_APPLICABLE, text)
        try:
            legacy.fetch(identity.python, requirements, setup.locks)
        except legacy.LegacyError as error:
            raise _not_fetched(recorder, recorder.scrub(str(error))) from error
        command = legacy.install_command(identity.python, cell.python, requirements, setup.locks)
    else:
        installer = f"uv {importlib.metadata.version('uv')}"
        command = [find_uv_bin(), "pip", "install", "--no-progress", "--python", str(identity.python), *requirements]
    step, text = recorder.command("install", command, env, identity.prefix, DEADLINE)
    if step.outcome != "ok":
        _raise(step.cause, text, step.outcome == "timed out")
    after = packages(identity)
    if after.get("Django", after.get("django")) != identity.django:
        raise CellFailure(Reason.INSTALLATION_FAILED, f"installing it replaced Django {identity.django}")
    added = sorted(f"{name}=={version}" for name, version in after.items() if before.get(name) != version)
    return _Note(
        requirements=wanted,
        command=step.command,
        added=added,
        added_bytes=_size(identity, _pairs(added)),
        seconds=recorder.seconds["install"],
        date=datetime.now(UTC).date().isoformat(),
        installer=installer,
    )


def _not_fetched(recorder: Recorder, text: str) -> CellFailure:
    """Return the failure of the host to fetch: the library's own installer was never asked."""
    found = output.failure(text)
    cause = f"the host could not fetch the packages: {found.cause}"
    recorder.add(Step(name="install", outcome="failed", cause=cause, excerpt=found.excerpt), 0.0)
    if output.no_network(text):
        return CellFailure(Reason.NO_NETWORK, _OUT_OF_REACH)
    return CellFailure(Reason.ENVIRONMENT_FAILED, cause)


def _raise(cause: str, text: str, timed_out: bool) -> None:
    # Only what an installer says of its own connections counts as "no network"; anything else is
    # the library's own failure, and hiding it would be a false "not tested".
    if output.no_network(text) and not timed_out:
        raise CellFailure(Reason.NO_NETWORK, _OUT_OF_REACH)
    if output.no_compiler(text):
        raise CellFailure(Reason.ENVIRONMENT_FAILED, f"there is no C compiler here, and it has to be compiled: {cause}")
    raise CellFailure(Reason.INSTALLATION_FAILED, cause)


def _read(path: Path, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None


def _pairs(added: list[str]) -> dict[str, str]:
    return {name: version for name, _, version in (each.partition("==") for each in added)}


def _size(identity: Identity, names: dict[str, str]) -> int:
    """Return the bytes of the files of the distributions called *names*, without compiled ones."""
    total = 0
    for each in importlib.metadata.distributions(path=[str(folder) for folder in identity.site_packages]):
        if each.metadata["Name"] not in names:
            continue
        for file in each.files or ():
            path = Path(str(each.locate_file(file)))
            if path.suffix != ".pyc" and path.is_file():
                total += path.stat().st_size
    return total


def _claims(identity: Identity, name: str) -> Claims | None:
    """Return what the metadata of the distribution *name* says that it runs on; None when it is not installed."""
    folders = [str(folder) for folder in identity.site_packages]
    for each in importlib.metadata.Distribution.discover(name=name, path=folders):
        classifiers = each.metadata.get_all("Classifier") or []
        return Claims(
            version=each.version,
            requires_python=each.metadata["Requires-Python"] or "",
            pythons=_numbers(classifiers, "Programming Language :: Python :: "),
            djangos=_numbers(classifiers, "Framework :: Django :: "),
        )
    return None


def _numbers(classifiers: list[str], prefix: str) -> list[str]:
    """Return the versions that *classifiers* name after *prefix*, the oldest first."""
    found = {each.removeprefix(prefix).strip() for each in classifiers if each.startswith(prefix)}
    return sorted((each for each in found if _VERSION.fullmatch(each)), key=lambda each: [*map(int, each.split("."))])


def identify(cell: Cell, python: Path, recorder: Recorder, env: dict[str, str]) -> Identity:
    """Ask the cell's own Python what it is.

    Raises:
        HarnessError: it is not what the cell's name says, or cannot be asked.
    """
    step, text = recorder.command("identify", [str(python), "-c", _PROBE], env, recorder.work, 60, _said)
    raw = (recorder.work / "identify.log").read_text("utf-8", "replace")
    if step.outcome != "ok":
        raise HarnessError(
            f"the Python of {cell.name} could not be asked for its version and Django: {step.cause}",
            f"make the environment again with `tox -r -e {cell.name}`",
        )
    try:
        # The last line: importing Django may have warned of something before.
        facts = json.loads(raw.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise HarnessError(f"the Python of {cell.name} answers what is no JSON: {text[:200]!r}") from error
    for what, found, wanted in (
        ("Python", facts["version"], cell.python_version),
        ("Django", facts["django"], cell.django_version),
    ):
        if tuple(int(part) for part in found.split(".")[:2] if part.isdigit()) != wanted:
            asked = ".".join(str(part) for part in wanted)
            raise HarnessError(
                f"{cell.name} asks for {what} {asked}, and its environment has {what} {found}",
                f"make the environment again with `tox -r -e {cell.name}`",
            )
    # Without a virtual environment the two are one.
    if facts["base"] != facts["prefix"]:
        recorder.scrub.learn(Path(facts["base"]), "<python>")
    return Identity(
        python=python,
        version=facts["version"],
        implementation=facts["implementation"],
        prefix=Path(facts["prefix"]),
        site_packages=tuple(Path(folder) for folder in facts["site_packages"]),
        django=facts["django"],
    )


def _said(text: str) -> str:
    """Return the versions in what the probe printed; nothing where they are not there."""
    try:
        facts = json.loads(text.strip().splitlines()[-1])
        return f"Python {facts['version']}, Django {facts['django']}"
    except (ValueError, IndexError, KeyError, TypeError):
        return ""


# Valid on every Python from 2.7.
_PROBE = """
import json, platform, sys
import django
print(json.dumps({
    "version": platform.python_version(),
    "implementation": platform.python_implementation(),
    "prefix": sys.prefix,
    "base": getattr(sys, "real_prefix", getattr(sys, "base_prefix", sys.prefix)),
    "site_packages": [path for path in sys.path if path.endswith("site-packages")],
    "django": django.get_version(),
}))
"""
