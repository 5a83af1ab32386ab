"""Install the library into the cell's environment, and measure what that adds."""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from uv import find_uv_bin

from harness.captured import output
from harness.cell import base as noted
from harness.cell import distributions
from harness.cell.identify import Identity
from harness.cell.steps import Recorder
from harness.cells import Cell, again
from harness.environments import direct, legacy
from harness.environments.names import project_of
from harness.errors import CellFailure, HarnessError
from harness.libraries.setup import Setup
from harness.results.installed import Claims, Installation
from harness.results.result import Step
from harness.system import processes
from harness.system.files import is_there, write_atomically
from harness.verdict import Reason

#: Seconds for an installer; compiling a large package takes minutes.
DEADLINE = 900.0

#: What the installer printed, for runs that find the library installed.
_PRINTED = ".harness-install.log"
#: What a classifier names a version by.
_VERSION = re.compile(r"\d+(?:\.\d+)?")
#: A small package that every index of Python packages has, and the seconds until the index has to name it.
_CONTROL = "packaging"
_CONTROL_DEADLINE = 60.0
#: Where in an environment it stands what has been installed there.
NOTE = ".harness-install.json"
#: What the settings of installers begin with.
_SETTINGS = ("UV_", "PIP_")
_OUT_OF_REACH = "the library could not be fetched: the package index is out of reach"


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
    #: What stands for the settings of the installer, which it could be told to take something else by.
    settings: str = ""
    command: str = ""
    added: list[str] = []
    #: What no index gave, with where it came from; None where nobody has noted that.
    placed: dict[str, str] | None = None
    added_bytes: int = 0
    seconds: float = 0.0
    date: str = ""
    installer: str = ""
    #: Whether it was begun only: whatever is there then was left by an installation that was interrupted.
    begun: bool = False


def packages(identity: Identity) -> dict[str, str]:
    """Return the distributions in the cell's environment and their versions."""
    return distributions.versions(identity.site_packages)


def install(
    cell: Cell,
    setup: Setup,
    identity: Identity,
    recorder: Recorder,
    env: dict[str, str],
    frozen: list[str] | None = None,
    options: Sequence[str] = (),
    anew: bool = False,
) -> Installed:
    """Install *setup*'s library and server, or find them installed by an earlier run, unless that is done *anew*.

    With *frozen* exactly those versions, of a result of the past; *options* are further ones of the installer.

    Raises:
        CellFailure: the installer failed, or put another Django in place.
        HarnessError: somebody else has installed something there.
    """
    wanted, pins = frozen or setup.requirements(cell), setup.pins(cell)
    base = _base(cell, identity, setup.library.requirements(cell))
    note_file = identity.prefix / NOTE
    note = noted.read_note(note_file, _Note)
    options = [*options, *direct.refreshed(wanted)]
    # What comes from a folder may be something else by now.
    settings = settings_of(env, [*options, *direct.states(wanted)])
    asked = (
        note is not None and not anew and not note.begun and (note.requirements, note.settings) == (wanted, settings)
    )
    if note is not None and asked and _by_hand(identity, base, note) is None:
        step = Step(name="install", outcome="ok", command=note.command, exit_status=0)
        recorder.add(step, 0.0, shown=msgspec.structs.replace(step, text=f"already installed, on {note.date}"))
        if (printed := identity.prefix / _PRINTED).exists():
            recorder.keep("install", printed)
    else:
        _check_hands(cell, identity, base, note)
        _restore(cell, identity, base, recorder, env)
        # What is interrupted from here on is the harness's own.
        write_atomically(note_file, msgspec.json.encode(_Note(requirements=[], begun=True)))
        note = _install(cell, setup, wanted, identity, recorder, env, base, options)
        note = msgspec.structs.replace(note, settings=settings)
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


def _base(cell: Cell, identity: Identity, requirements: list[str]) -> dict[str, str]:
    """Return what was put into the environment when it was made; what is there now, where nobody has noted that.

    Raises:
        HarnessError: it was not empty of the library's own *requirements* when it was first seen.
    """
    base = noted.read(identity.prefix)
    there = packages(identity) if base is None else base
    names = {project_of(requirement) for requirement in requirements}
    if held := [name for name in there if project_of(name) in names]:
        raise HarnessError(
            f"the environment holds {', '.join(held)} already, so what installing it adds cannot be measured",
            f"make it again with `{again(cell.name, anew=True)}`",
        )
    if base is None:
        noted.note(identity.prefix, there)
    return there


def settings_of(env: Mapping[str, str], options: Sequence[str]) -> str:
    """Return what stands for the settings of the installer in *env* and its *options*; they may hold secrets.

    Of a file that one of them names what is in it counts as well.
    """
    settings = {name: value for name, value in env.items() if name.startswith(_SETTINGS)}
    told = sorted(f"{name}={value}" for name, value in settings.items())
    files = sorted({each for value in settings.values() for each in value.split() if is_there(each)})
    told += [hashlib.sha256(Path(each).read_bytes()).hexdigest() for each in files if Path(each).is_file()]
    return hashlib.sha256("\0".join([*told, *options]).encode()).hexdigest()[:16]


def _check_hands(cell: Cell, identity: Identity, base: dict[str, str], note: _Note | None) -> None:
    """Make sure that nothing is taken away that somebody has installed by hand.

    Raises:
        HarnessError: it would be.
    """
    if note is not None and note.begun:
        return  # what an interrupted installation has left is nobody's
    if by_hand := _by_hand(identity, base, note):
        raise HarnessError(
            f"somebody has installed {by_hand} into the environment of {cell.name}",
            f"measure it with `{again(cell.name, '--with REQUIREMENT')}`, or make it anew with"
            f" `{again(cell.name, anew=True)}`",
        )


def _by_hand(identity: Identity, base: dict[str, str], note: _Note | None) -> str | None:
    """Return what is there and neither of the *base* nor in the *note*, in words; None where all is as noted.

    The empty text says that something is gone, and nothing was added.
    """
    ours = {**base, **(_pairs(note.added) if note is not None else {})}
    there = packages(identity)
    found = {f"{name} {version}" for name, version in there.items() if ours.get(name) != version}
    if note is not None and note.placed is not None:
        # Code of somebody's own may well have the version of what is released.
        now = distributions.placed(identity.site_packages)
        moved = {name for name in {*now, *note.placed} & there.keys() if now.get(name) != note.placed.get(name)}
        found |= {f"{name} {there[name]} from elsewhere" for name in moved if f"{name} {there[name]}" not in found}
    return ", ".join(sorted(found)) if found or there != ours else None


def _restore(cell: Cell, identity: Identity, base: dict[str, str], recorder: Recorder, env: dict[str, str]) -> None:
    """Take out of the environment what an interrupted installation, or another one, left there or put in place.

    Raises:
        HarnessError: the environment is still not as tox made it.
    """
    there = packages(identity)
    extra = [name for name in there if name not in base]
    # What was asked for may have had to take another release of something that was there before.
    replaced = [f"{name}=={version}" for name, version in base.items() if there.get(name) != version]
    old, python = cell.python in legacy.VERSIONS, str(identity.python)
    pip, where, yes = (
        ([python, "-m", "pip"], [], ["--yes"]) if old else ([find_uv_bin(), "pip"], ["--python", python], [])
    )
    for name, command, what in (
        ("uninstall", ["uninstall", *yes], extra),
        ("put-back", ["install", "--no-deps"], replaced),
    ):
        if what:
            log = recorder.work / f"{name}.log"
            processes.run([*pip, *command, *where, *what], env, identity.prefix, log, DEADLINE)
            recorder.keep(name, log)
    if packages(identity) != base:
        raise HarnessError(
            f"the environment of {cell.name} is not as it was made",
            f"make it again with `{again(cell.name, anew=True)}`",
        )


def _install(
    cell: Cell,
    setup: Setup,
    wanted: list[str],
    identity: Identity,
    recorder: Recorder,
    env: dict[str, str],
    before: dict[str, str],
    options: Sequence[str],
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
        env = {**env, **legacy.build_environment(cell.python)}
    else:
        installer = f"uv {importlib.metadata.version('uv')}"
        command = [find_uv_bin(), "pip", "install", "--no-progress", "--python", str(identity.python)]
        command += [*options, *requirements]
    step, text = recorder.command("install", command, env, identity.prefix, DEADLINE)
    if step.outcome != "ok":
        _check_machine(cell, identity, recorder, env, step, text)
        raise CellFailure(Reason.INSTALLATION_FAILED, step.cause)
    after = packages(identity)
    if after.get("Django", after.get("django")) != identity.django:
        raise CellFailure(Reason.INSTALLATION_FAILED, f"installing it replaced Django {identity.django}")
    identity.check_django(env, recorder.work)
    added = sorted(f"{name}=={version}" for name, version in after.items() if before.get(name) != version)
    return _Note(
        requirements=wanted,
        command=step.command,
        added=added,
        placed=distributions.placed(identity.site_packages),
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


def _check_machine(
    cell: Cell, identity: Identity, recorder: Recorder, env: dict[str, str], step: Step, text: str
) -> None:
    """Make sure that the installer failed at the library, and not for want of something on this machine.

    Hiding the library's own failure would be a false "not tested", so each want is proved.

    Raises:
        CellFailure: the index is out of reach, or what a build is made with is not there.
    """
    if lacking := output.not_there(text):
        raise CellFailure(
            Reason.ENVIRONMENT_FAILED, f"it has to be compiled, and there is no {lacking} here: {step.cause}"
        )
    if step.outcome == "timed out" or (output.was_built(text) and not output.no_network(text)):
        return
    # An installer has many words for it, and the same ones for a package at an address of its own.
    failed = output.no_network(text) and not output.addresses(text)
    online = cell.python not in legacy.VERSIONS
    if failed or (online and not _index_answers(identity, recorder, env)):
        raise CellFailure(Reason.NO_NETWORK, _OUT_OF_REACH)


def _index_answers(identity: Identity, recorder: Recorder, env: dict[str, str]) -> bool:
    """Tell whether the installer reaches the index now: it is asked for a package that has nothing to do with the cell.

    An index that does not have it has answered.
    """
    log = recorder.work / "index.log"
    command = [find_uv_bin(), "pip", "install", "--dry-run", "--no-cache", "--no-deps", "--reinstall"]
    ended = processes.run(
        [*command, "--python", str(identity.python), _CONTROL], env, identity.prefix, log, _CONTROL_DEADLINE
    )
    return ended.exit_status == 0 or "not found in the package registry" in output.read(log)


def _pairs(added: list[str]) -> dict[str, str]:
    return {name: version for name, _, version in (each.partition("==") for each in added)}


def _size(identity: Identity, names: dict[str, str]) -> int:
    """Return the bytes of the files of the distributions called *names*, without compiled ones."""
    total = 0
    for each, head in distributions.within(identity.site_packages):
        if head["Name"] not in names:
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
            requires_python=(each.metadata.get_all("Requires-Python") or [""])[0],
            pythons=_numbers(classifiers, "Programming Language :: Python :: "),
            djangos=_numbers(classifiers, "Framework :: Django :: "),
        )
    return None


def _numbers(classifiers: list[str], prefix: str) -> list[str]:
    """Return the versions that *classifiers* name after *prefix*, the oldest first."""
    found = {each.removeprefix(prefix).strip() for each in classifiers if each.startswith(prefix)}
    return sorted((each for each in found if _VERSION.fullmatch(each)), key=lambda each: [*map(int, each.split("."))])
