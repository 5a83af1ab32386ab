"""``dtws new``: write a scenario; four questions, each of which has an answer that works for the Channels tutorial."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from harness.dtws import writing
from harness.dtws.places import SCENARIO
from harness.errors import UsageError
from harness.scenario import frames
from harness.scenario import read as reading
from harness.system.files import write_atomically

_MEMBERS = ["ann", "bob", "eve"]
_LOGINS = ("none", "form", "python")
#: The end of a path that may be a room, and what rooms are called.
_LAST = re.compile(r"[\w-]+")
_ROOM = re.compile(r"lobby|general|room[\w-]*")
#: Makes an account for each of the members, in a database that has none.
_ACCOUNTS = (
    'python manage.py shell -c "from django.contrib.auth import get_user_model; [get_user_model().objects.create_user('
    f"name, password='secret') for name in {_MEMBERS}]\""
)
_NAME = re.compile(r"[^a-z0-9]+")
#: What stands before the path in an address.
_HOST = re.compile(r"^wss?://[^/]*")
#: What stands in an asgi.py.
_APPLICATION = re.compile(r"^application\s*=", re.MULTILINE)
_SKIPPED = {"node_modules", "site-packages", "venv", ".venv", ".tox", ".dtws", ".git"}
#: Folders below the project that an asgi.py or a manage.py is looked for in.
_DEPTH = 3


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option("--path", metavar="PATH", help="The path of the WebSocket.")
@click.option("--send", metavar="TEMPLATE", help="What a client sends, with $TEXT where the message stands.")
@click.option("--read", metavar="POINTER", help="Where the message stands in what arrives; - for all of it.")
@click.option("--login", type=click.Choice(_LOGINS), help="How members log in.")
@click.option("--yes", is_flag=True, help="Ask nothing: what is not given is as in the Channels tutorial.")
@click.option("--force", is_flag=True, help="Write over a scenario that is there.")
def new(
    folder: Path, path: str | None, send: str | None, read: str | None, login: str | None, yes: bool, force: bool
) -> int:
    """Write chat.toml for the project in FOLDER, with comments; what cannot be found out is asked."""
    target = folder / SCENARIO
    if target.exists() and not force:
        raise UsageError(f"{target} is there already", "give --force to write over it")
    answers = {"path": path, "send": send, "read": read, "login": login}
    path, send, read, login = (_asked(each, answers[each.option], yes) for each in _QUESTIONS)
    text = _text(folder, path, send, read, login)
    reading.parse(text, SCENARIO)
    write_atomically(target, text.encode())
    click.echo(f"{target} is written. Look through it; then `dtws run {folder}` measures the chat.")
    return 0


@dataclass(frozen=True)
class _Question:
    """One of the four: its option, how it is asked, what is usual, and what makes an answer of what is typed."""

    option: str
    asks: str
    usual: str
    #: Raises ValueError, with what is wrong.
    answer: Callable[[str], str]


def _path(typed: str) -> str:
    typed = _HOST.sub("", typed)
    if not typed or re.search(r"[\s#]", typed):
        raise ValueError(f"{typed!r} is no path: write it like /ws/chat/lobby/")
    return typed if typed.startswith("/") else f"/{typed}"


def _send(typed: str) -> str:
    if "TEXT" not in frames.words_in(typed):
        raise ValueError(f"{typed!r} has no $TEXT in it, which stands for the message")
    return typed


def _read(typed: str) -> str:
    if typed == _ALL_OF_IT:
        return ""
    if typed and not frames.points(typed):
        raise ValueError(f"{typed!r} is no JSON pointer: write it like .message, or {_ALL_OF_IT} for all of a frame")
    return typed


def _login(typed: str) -> str:
    if typed not in _LOGINS:
        raise ValueError(f"{typed!r} is no way to log in: known are {', '.join(_LOGINS)}")
    return typed


#: What is answered where a frame is the message: to answer nothing is to take what is usual.
_ALL_OF_IT = "-"
_QUESTIONS = (
    _Question("path", "Which path has the WebSocket?", "/ws/chat/lobby/", _path),
    _Question("send", "What does a client send? $TEXT stands for the message", '{"message": "$TEXT"}', _send),
    _Question("read", f"Where does the message stand in what arrives? {_ALL_OF_IT} for all of it", ".message", _read),
    _Question("login", f"How do members log in ({', '.join(_LOGINS)})?", "none", _login),
)


def _asked(question: _Question, given: str | None, yes: bool) -> str:
    """Return what is *given*, or what somebody answers; what is usual where nobody is asked.

    Raises:
        UsageError: it is no answer, or nobody is there.
    """
    if given is not None:
        try:
            return question.answer(given)
        except ValueError as error:
            raise UsageError(f"--{question.option}: {error}") from error

    def understood(typed: str) -> str:
        try:
            return question.answer(typed.strip())
        except ValueError as error:
            raise click.UsageError(str(error)) from error  # it is asked again

    try:
        return question.usual if yes else str(click.prompt(question.asks, question.usual, value_proc=understood))
    except click.Abort as error:
        if sys.stdin.isatty():
            raise  # it is Ctrl-C
        hint = "give --yes for the answers of the Channels tutorial, or each answer as an option"
        raise UsageError("nobody answers", hint) from error


def _text(folder: Path, path: str, send: str, read: str, login: str) -> str:
    manage = _found(folder, "manage.py")
    project = manage.parent if manage else folder
    asgi = next(
        (each for each in _all(project, "asgi.py") if _APPLICATION.search(each.read_text("utf-8", "replace"))), None
    )
    module = ".".join(asgi.relative_to(project).with_suffix("").parts) if asgi else "mysite.asgi"
    required = sorted(folder.glob("requirements*.txt"))
    return writing.render(
        "chat.toml.j2",
        name=_NAME.sub("", folder.resolve().name.lower()).lstrip("0123456789")[:20] or "chat",
        folder=str(project.relative_to(folder)),
        prepare=["python manage.py migrate --noinput", *([_ACCOUNTS] if login == "form" else [])],
        install=[f"-r {required[0].name}"] if required else ["channels[daphne]", "channels_redis"],
        serve=f"daphne -p {{port}} {module}:application",
        application=f"{module}:application",
        login=login,
        form="/accounts/login/",
        members=_MEMBERS,
        room="lobby",
        path=path,
        other=_other(path),
        send=send,
        read=read,
    )


def _other(path: str) -> str:
    """Return the path of another room than the one that *path* ends with; empty where it may end with none.

    A room is the third part of a path at least, or is called like one.
    """
    above, _, last = path.removesuffix("/").rpartition("/")
    is_room = path.endswith("/") and _LAST.fullmatch(last) and (above.count("/") > 1 or _ROOM.fullmatch(last))
    return f"{above}/other/" if is_room else ""


def _all(folder: Path, name: str) -> list[Path]:
    """Return the files called *name* below *folder*, the nearest first."""
    found = [path for depth in range(_DEPTH) for path in sorted(folder.glob("*/" * depth + name))]
    return [path for path in found if not _SKIPPED & set(path.parts)]


def _found(folder: Path, name: str) -> Path | None:
    return next(iter(_all(folder, name)), None)
