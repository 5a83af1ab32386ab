"""Install the library into the cell's environment, and measure what that adds."""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from uv import find_uv_bin

from harness import legacy, output
from harness.cells import Cell
from harness.errors import CellFailure, HarnessError
from harness.libraries.base import Library
from harness.result import Installation, Reason, Step
from harness.steps import Recorder

#: Seconds for an installer; compiling a large package takes minutes.
DEADLINE = 900.0


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
    before: dict[str, str]
    added: list[str]
    added_bytes: int
    seconds: float
    date: str
    installer: str


def packages(identity: Identity) -> dict[str, str]:
    """Return the distributions in the cell's environment and their versions."""
    found = importlib.metadata.distributions(path=[str(folder) for folder in identity.site_packages])
    return dict(sorted((each.metadata["Name"], each.version) for each in found if each.metadata["Name"]))


def install(cell: Cell, library: Library, identity: Identity, recorder: Recorder, env: dict[str, str]) -> Installed:
    """Install *library*, or find it installed by an earlier run.

    Raises:
        CellFailure: the installer failed, or put another Django in place.
    """
    pins = library.pins(cell)
    wanted = [*library.requirements(cell), *(pin.requirement for pin in pins)]
    before = packages(identity)
    note_file = identity.prefix / f".harness-install-{library.suffix or 'default'}.json"
    note = _read(note_file)
    if note is not None and note.requirements == wanted and before == {**note.before, **_pairs(note.added)}:
        text = "already installed; measured when it was"
        recorder.add(Step(name="install", outcome="ok", text=text), 0.0)
    else:
        note = _install(cell, wanted, identity, recorder, env, before)
        note_file.write_bytes(msgspec.json.encode(note))
    installation = Installation(requirements=wanted, pins=pins, added=note.added, added_bytes=note.added_bytes)
    return Installed(installation, note.seconds, note.date, {**note.before, **_pairs(note.added)}, note.installer)


def _install(
    cell: Cell, wanted: list[str], identity: Identity, recorder: Recorder, env: dict[str, str], before: dict[str, str]
) -> _Note:
    # The cell's Django is part of the question: an installer must not answer another one.
    requirements = [*wanted, f"Django=={identity.django}"]
    if cell.python in legacy.VERSIONS:
        installer = f"pip {before.get('pip', '')}".strip()
        try:
            legacy.fetch(identity.python, requirements)
        except legacy.LegacyError as error:
            _fail(recorder, "the host could not fetch the packages", recorder.scrub(str(error)))
        command = legacy.install_command(identity.python, cell.python, requirements)
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
        before=before,
        added=added,
        added_bytes=_size(identity, _pairs(added)),
        seconds=recorder.seconds["install"],
        date=datetime.now(UTC).date().isoformat(),
        installer=installer,
    )


def _fail(recorder: Recorder, cause: str, text: str) -> None:
    found = output.failure(text)
    recorder.add(Step(name="install", outcome="failed", cause=cause, excerpt=found.excerpt), 0.0)
    _raise(cause, text, timed_out=False)


def _raise(cause: str, text: str, timed_out: bool) -> None:
    # Only what an installer says of its own connections counts as "no network"; anything else is
    # the library's own failure, and hiding it would be a false "not tested".
    if output.no_network(text) and not timed_out:
        raise CellFailure(Reason.NO_NETWORK, "the library could not be fetched: the package index is out of reach")
    raise CellFailure(Reason.INSTALLATION_FAILED, cause)


def _read(path: Path) -> _Note | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Note)
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


def identify(cell: Cell, python: Path, recorder: Recorder, env: dict[str, str]) -> Identity:
    """Ask the cell's own Python what it is.

    Raises:
        HarnessError: it is not what the cell's name says, or cannot be asked.
    """
    step, text = recorder.command("identify", [str(python), "-c", _PROBE], env, recorder.work, 60)
    raw = (recorder.work / "identify.log").read_text("utf-8", "replace")
    if step.outcome != "ok":
        raise HarnessError(
            f"the Python of {cell.name} could not be asked for its version and Django: {step.cause}",
            f"make the environment again with `tox -r -e {cell.name}`",
        )
    try:
        facts = json.loads(raw)
    except ValueError as error:
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
    recorder.amend("identify", text=f"Python {facts['version']}, Django {facts['django']}")
    return Identity(
        python=python,
        version=facts["version"],
        implementation=facts["implementation"],
        prefix=Path(facts["prefix"]),
        site_packages=tuple(Path(folder) for folder in facts["site_packages"]),
        django=facts["django"],
    )


# Valid on every Python from 2.7.
_PROBE = """
import json, platform, sys
import django
print(json.dumps({
    "version": platform.python_version(),
    "implementation": platform.python_implementation(),
    "prefix": sys.prefix,
    "base": getattr(sys, "base_prefix", getattr(sys, "real_prefix", sys.prefix)),
    "site_packages": [path for path in sys.path if path.endswith("site-packages")],
    "django": django.get_version(),
}))
"""
