"""What is said of a library that no measurement can say: one file for each, which its author writes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import HERE
from harness.errors import HarnessError

#: The prose of the libraries that are part of this project.
_FOLDER = HERE / "libraries" / "prose"
#: What a prose may leave out, and what that stands for: addresses; how the server is run by hand, under a title of its
#: own, and its settings; where it was measured; pairs that the report shows in full; steps of the integration; code
#: that shows how it is programmed; its kinds of handlers, by the way and the server that have them; issues of it that
#: are known upstream, by kinds of answers (``results/kinds.py``); what chooses a way, by a part of its name; whether it
#: talks to a Redis; what stands for it where there is no room for more; and the smallest project that carries a chat by
#: it, by which issues upstream show what fails.
_OPTIONAL: dict[str, Any] = {
    **dict.fromkeys(
        ("home", "repository", "documentation_at", "running", "running_title", "measured", "letter", "settings"), ""
    ),
    **{key: [] for key in ("pairs", "steps", "code", "handlers")},
    "known": {},
    "ways": {},
    "upstream": {},
    "uses_redis": True,
}
#: What is said of somebody's own chat, which nobody writes about.
_OWN = dict.fromkeys(
    ("summary", "installation", "integration", "architecture", "events", "documentation", "tests"), "As in the project."
)


def carries(own: bool) -> str:
    """Return what is asked of the messages, as a heading; *own* tells whether it is somebody's own chat."""
    return "Messages right?" if own else "Channels work?"


def chosen_by(prose: Mapping[str, Any], way: str) -> str:
    """Return *way* with what chooses it, where *prose* says that of a part of its name."""
    found = [text for part in way.split(", ") if (text := prose["ways"].get(part))]
    return f"{way} ({'; '.join(found)})" if found else way


def is_own(name: str, folders: Sequence[Path]) -> bool:
    """Tell whether *name* is the chat of a scenario, a file among *folders*, and no library of this project."""
    return any(each.is_file() for each in folders) and not (_FOLDER / f"{name}.toml").exists()


def read(name: str, folders: Sequence[Path] = ()) -> dict[str, Any]:
    """Return the prose of the library *name*, which may also lie in one of *folders*.

    What is a file among them is the scenario of somebody's own chat, which needs none.

    Raises:
        HarnessError: the file is missing or is no TOML.
    """
    places = [folder / f"{name}.toml" for folder in (_FOLDER, *(each for each in folders if each.is_dir()))]
    path = next((each for each in places if each.exists()), places[0])
    if is_own(name, folders) and not path.exists():
        short = {"install" if key == "installation" else key: text for key, text in _OWN.items() if key != "summary"}
        return {**_OPTIONAL, **_OWN, "title": name, "release": "your own chat", "short": short}
    try:
        return {**_OPTIONAL, **tomllib.loads(path.read_text(encoding="utf-8"))}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise HarnessError(f"{path.name} cannot be read: {error}", "write the prose of the library there") from error
