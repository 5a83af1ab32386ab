"""Download a source archive without running anything of it.

``pip download`` runs the archive's ``setup.py`` with the host's Python, which often cannot even parse it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import requests
from unearth import Link, PackageFinder

#: The index that installers ask unless they are told otherwise.
INDEX = "https://pypi.org/simple/"
_DEADLINE = 60


class NotFetched(Exception):
    """The archive could not be downloaded; the message says why."""


def fetch(requirement: str, folder: Path) -> Path:
    """Download the source archive of *requirement*, such as ``six==1.17.0``, into *folder*.

    Returns:
        The path of the archive.

    Raises:
        NotFetched: no index has it, it could not be downloaded, or it is not what the index says.
    """
    name = requirement.partition("==")[0]
    finder = PackageFinder(
        index_urls=configured("index-url") or [INDEX], find_links=configured("find-links"), no_binary=[name]
    )
    best = finder.find_best_match(requirement).best
    if best is None:
        raise NotFetched(f"ERROR: No matching distribution found for {requirement}")
    return _download(best.link, folder)


def _download(link: Link, folder: Path) -> Path:
    target = folder / link.filename
    if link.is_file:
        target.write_bytes(link.file_path.read_bytes())
        return target
    try:
        answer = requests.get(link.url_without_fragment, timeout=_DEADLINE)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise NotFetched(f"ERROR: {link.filename}: {error}") from error
    for algorithm, digests in (link.hash_option or {}).items():
        if hashlib.new(algorithm, answer.content).hexdigest() not in digests:
            raise NotFetched(f"ERROR: {link.filename} is not what its index says: another {algorithm}")
    partial = target.with_name(f".{target.name}.partial")
    partial.write_bytes(answer.content)
    return partial.replace(target)


def configured(option: str) -> list[str]:
    """Return the values of pip's *option*, from its environment variable or else from its configuration."""
    value = os.environ.get(f"PIP_{option.upper().replace('-', '_')}")
    if value is None:
        command = [sys.executable, "-m", "pip", "config", "get", f"global.{option}"]
        value = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_DEADLINE).stdout
    return value.split()


def main() -> int:
    """Download the source archive of one exact requirement; return 1 where that fails, which is printed."""
    parser = argparse.ArgumentParser(prog="python -m harness.environments.archives", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("requirement")
    options = parser.parse_args()
    try:
        fetch(options.requirement, options.folder)
    except NotFetched as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
