"""Requirements of what is not released: a folder, a wheel, an archive of sources, a version, or an address.

Source: https://packaging.python.org/en/latest/specifications/dependency-specifiers/.
"""

from __future__ import annotations

import ast
import configparser
import hashlib
import os
import re
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from harness.environments.names import is_direct
from harness.errors import UsageError
from harness.system.origin import head_of

_EXTRAS = re.compile(r"(?P<path>.*?)(?P<extras>\[[\w.,\s-]+\])?$")
#: Who is to be let in at an address; it may be a secret.
_USER = re.compile(r"//[^/@]*@")
#: Folders in the folder of a project that have nothing of what it is built from.
_NOT_ITS_OWN = re.compile(r"__pycache__|node_modules|dtws|build|dist|.*\.egg-info|\..*")
#: How a digest of a file begins, which tells it from others.
_DIGEST = 12


@dataclass(frozen=True)
class Direct:
    """One requirement: what the installer is asked for, and what is told of it."""

    requirement: Requirement
    #: As it was asked for, without the path that leads there.
    shown: str
    #: Where it comes from: ``the index``, an address, a file with its digest, or a folder with its commit.
    origin: str
    #: Whether another run may find something else there: a folder, a file, or an address.
    moving: bool
    #: The folder or the file, where it is one of this machine.
    path: Path | None = None

    @property
    def project(self) -> str:
        """The normalised name of the project."""
        return canonicalize_name(self.requirement.name)


def read(text: str) -> Direct:
    """Return the requirement that *text* stands for.

    Raises:
        UsageError: it is neither a requirement nor a path to something that can be installed.
    """
    match = _EXTRAS.fullmatch(text)
    assert match is not None
    path, extras = Path(match["path"]), match["extras"] or ""
    with suppress(RuntimeError):  # there is nobody of that name
        path = path.expanduser()
    if text and (found := _local(path, extras)):
        return found
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        hint = "name a folder, a wheel, an archive of sources, NAME==VERSION, or NAME @ ADDRESS"
        raise UsageError(f"{text!r} is nothing that can be installed", hint) from error
    if requirement.url and requirement.url.startswith("file:"):
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        path = Path(url2pathname(urlsplit(requirement.url).path))
        if found := _local(path, extras, requirement.name):
            return found
        raise UsageError(f"{path.name} is not there", "name a folder, a wheel, or an archive of sources")
    shown = _USER.sub("//", text)
    return Direct(requirement, shown, _USER.sub("//", requirement.url or "the index"), moving=bool(requirement.url))


def state(requirement: str) -> str:
    """Return what stands for what *requirement* would give now, which is another one once that has changed.

    Of a folder of this machine that is the names, sizes and times of its files; of an address it is the address. What
    is built from it, hidden folders, environments and the results of ``dtws`` do not count.
    """
    try:
        found = read(requirement)
    except UsageError:
        return requirement  # the installer says what is wrong with it
    if found.path is None or not found.path.is_dir():
        return f"{found.requirement} {found.origin}"
    whole = hashlib.sha256()
    for place, folders, files in os.walk(found.path):
        there = Path(place)
        folders[:] = sorted(
            each for each in folders if not _NOT_ITS_OWN.fullmatch(each) and not (there / each / "pyvenv.cfg").exists()
        )
        for name in sorted(files):
            about = (there / name).lstat()
            whole.update(f"{there / name}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
    return f"{found.requirement} {whole.hexdigest()}"


def states(requirements: Iterable[str]) -> list[str]:
    """Return the :func:`state` of each of *requirements* that is to be had at a place."""
    return [state(each) for each in requirements if is_direct(each)]


def refreshed(requirements: Iterable[str]) -> list[str]:
    """Return the options by which uv looks again at those of *requirements* that are to be had at a place.

    What it has built from there before it would take again.
    """
    options: list[str] = []
    for each in filter(is_direct, requirements):
        with suppress(UsageError):  # the installer says what is wrong with it
            found = read(each)
            options += ["--reinstall-package", found.project] if found.moving else []
    return options


def _local(path: Path, extras: str, name: str = "") -> Direct | None:
    """Return what is in the folder or the file *path*, called *name* where it does not say; None without either."""
    if path.is_dir():
        origin = _commit(path)
        try:
            name = _name_of_folder(path)
        except UsageError:
            if not name:
                raise
    elif path.is_file():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGEST]
        name, origin = _name_of_file(path), f"{path.name}, sha256 {digest}…"
    else:
        return None
    text = f"{name}{extras} @ {path.resolve().as_uri()}"
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise UsageError(f"{path.name} has a name that nothing can be installed by: {name!r}") from error
    return Direct(requirement, f"{path.resolve().name}{extras}", origin, moving=True, path=path.resolve())


def _name_of_file(path: Path) -> str:
    try:
        return str((parse_wheel_filename if path.suffix == ".whl" else parse_sdist_filename)(path.name)[0])
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise UsageError(f"{path.name} is neither a wheel nor an archive of sources: {error}") from error


def _name_of_folder(path: Path) -> str:
    """Return the name of the project in the folder *path*, of which its metadata need not be built.

    Raises:
        UsageError: it does not say.
    """
    name, settings = "", configparser.ConfigParser()
    with suppress(OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        settings_of = tomllib.loads((path / "pyproject.toml").read_text("utf-8")).get("project")
        name = settings_of.get("name", "") if isinstance(settings_of, dict) else ""
    with suppress(configparser.Error, UnicodeDecodeError):
        settings.read(path / "setup.cfg", encoding="utf-8")  # which is none where there is none
        name = name or settings.get("metadata", "name", fallback="")
    name = name or _name_in_setup(path / "setup.py")
    if not name:
        hint = f"name it yourself: 'NAME @ {path.resolve().as_uri()}'"
        raise UsageError(f"neither pyproject.toml, setup.cfg nor setup.py of {path.name} names a project", hint)
    return str(name)


def _name_in_setup(path: Path) -> str:
    """Return the name that the call of ``setup`` in *path* is given as it stands; nothing of it is run."""
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (OSError, SyntaxError, ValueError):
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "setup":
            for keyword in node.keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    return str(keyword.value.value)
    return ""


def _commit(path: Path) -> str:
    """Return the commit of the folder *path*, and whether it has been changed since; that there is none without git."""
    commit, changed = head_of(path, "--", ".")
    if not commit:
        return "a folder without a commit"
    return f"commit {commit}" + (", changed since" if changed else "")
