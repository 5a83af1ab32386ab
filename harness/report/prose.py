"""What is said of a library that no measurement can say: one file for each, which its author writes."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import ROOT
from harness.errors import HarnessError

#: The prose of the libraries that are part of this project.
_FOLDER = ROOT / "harness" / "libraries" / "prose"
#: What a prose may leave out, and what that stands for: addresses; how the server is run by hand, under a title of its
#: own, and its settings; where it was measured; pairs that the report shows in full; steps of the integration; code
#: that shows how it is programmed; its kinds of handlers, by the way and the server that have them; issues of it that
#: are known upstream, by kinds of answers (``results/kinds.py``); whether it talks to a Redis; and what stands for it
#: where there is no room for more.
_OPTIONAL: dict[str, Any] = {
    **dict.fromkeys(
        ("home", "repository", "documentation_at", "running", "running_title", "measured", "letter", "settings"), ""
    ),
    **{key: [] for key in ("pairs", "steps", "code", "handlers")},
    "known": {},
    "uses_redis": True,
}


def read(name: str, folders: Sequence[Path] = ()) -> dict[str, Any]:
    """Return the prose of the library *name*, which may also lie in one of *folders*.

    Raises:
        HarnessError: the file is missing or is no TOML.
    """
    places = [folder / f"{name}.toml" for folder in (_FOLDER, *folders)]
    path = next((each for each in places if each.exists()), places[0])
    try:
        return {**_OPTIONAL, **tomllib.loads(path.read_text(encoding="utf-8"))}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise HarnessError(f"{path.name} cannot be read: {error}", "write the prose of the library there") from error
