"""Drafts of issues for the people upstream: versions, what shows it, what is expected, and what is seen.

Whoever reads one has the library and this text, and nothing of this project.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from harness.cells import Cell
from harness.environments.names import project_of
from harness.results import catches, failures
from harness.results.result import Finding, Result
from harness.results.roots import Root

#: What questions match → how their answer can be seen by hand.
_STEPS = (
    (r"idle-.*", "Open a WebSocket and say nothing for 12 seconds. Then have somebody else send it a message."),
    (
        r"(nginx|haproxy)-idle",
        "Put the proxy before the server, with a time-out of 5 seconds. Open a WebSocket, say nothing for 8.",
    ),
    (
        r"early",
        "Open a WebSocket. Have somebody else send it a message as soon as the handshake is answered; a hundred times.",
    ),
    (r"burst-.*", "Have one client send 50 messages at once to another one, and nothing after them."),
    (r"many-.*", "In one handler, send 300 messages in a loop to a group of two clients."),
    (
        r"foreign-origin|handshake-foreign.*",
        "Open a WebSocket with a member's session cookie and `Origin: http://elsewhere.invalid`.",
    ),
    (r"unknown-broadcasts", "Open a WebSocket without a cookie, and send a message to everybody."),
    (r"unknown-.*|not-logged-in", "Open a WebSocket, or the page, without a cookie."),
    (r"after-.*-send", "Log in and open a WebSocket. {subject}, send a message through it."),
    (r"after-.*", "Log in and open a WebSocket. {subject}, have somebody send it a message."),
    (r"(broker|members|server|sentinel)-.*", "Clients send each other ten messages a second. {subject} meanwhile."),
    (r"sigterm-.*", "End the server with SIGTERM while clients send each other ten messages a second; start it again."),
    (r"payload-.*|long-page", "Have one client send this to another one."),
)
_FRAME = re.compile(r'File "<cell>/lib/python[\d.]+/site-packages/(?P<file>[\w/]+)\.py"')
#: What a package that stands on Django needs before it can be imported alone.
_CONFIGURED = "import django.conf as c; c.settings.configure()"


def draft(root: Root) -> str:
    """Return the draft of an issue about *root*, in Markdown."""
    result = max(root.results.values(), key=lambda each: (Cell.parse(each.cell).order, each.server))
    finding = _finding(root, result)
    lines = [f"# {_title(root, result)}", "", "## Versions", ""]
    lines += [f"- {each}" for each in _versions(root, result)]
    lines += ["", "## What shows it", "", "```sh", *_commands(root, result), "```", ""]
    if finding:
        lines += [_steps(finding), "", "## Expected", "", f"{finding.question}: {finding.expected}.", ""]
        lines += ["## Seen", "", f"{finding.question}: {finding.summary}.", ""]
    else:
        lines += ["## Expected", "", "It starts, and works.", "", "## Seen", "", "```", _failure(result), "```", ""]
    if comes := [cause.text for _, cause in root.causes if cause.turned]:
        lines += ["## Since when", "", f"{comes[0]}.", ""]
    elif root.since:
        lines += ["## Since when", "", f"{root.since}.", ""]
    if cures := [cure for _, cure in root.cures if cure.kind in ("pin", "server", "setting") and not cure.chance]:
        words = {"pin": "with `{}`", "server": "under {}", "setting": "with the {}"}
        lines += [
            "## What helps until then",
            "",
            f"It is as expected {words[cures[0].kind].format(cures[0].change)}.",
            "",
        ]
    return "\n".join(lines)


def _title(root: Root, result: Result) -> str:
    what = root.since or root.what
    return f"{result.library}: {what}"


def _versions(root: Root, result: Result) -> Iterator[str]:
    versions = result.versions
    assert versions is not None
    yield f"Python {versions.python}, Django {versions.django}"
    yield from (f"{name} {version}" for name, version in _named(root, result).items())
    if versions.broker:
        yield versions.broker


def _asked_for(result: Result) -> list[str]:
    """Return the names of what the installer was asked for."""
    asked = result.installation.requirements if result.installation else []
    return [project_of(each) for each in asked]


def _named(root: Root, result: Result) -> dict[str, str]:
    """Return what was asked for, and what is guilty, of what is installed: names → versions."""
    assert result.versions is not None
    guilty = [each.package for _, cause in root.causes for each in cause.turned]
    wanted = dict.fromkeys(canonicalize_name(each) for each in [*_asked_for(result), *guilty])
    installed = {canonicalize_name(name): (name, version) for name, version in result.versions.installed.items()}
    return dict(installed[name] for name in wanted if name in installed)


def _commands(root: Root, result: Result) -> list[str]:
    """Return the shortest commands that lead to it."""
    versions = result.versions
    assert versions is not None
    pins = [f"{name}=={version}" for name, version in _named(root, result).items()] or [result.library]
    lines = ["python -m venv venv", f"venv/bin/pip install Django=={versions.django} {' '.join(pins)}"]
    # What fails later is not shown by an import.
    if root.what.endswith((" cannot be imported", " cannot be parsed")) and (module := _module(result)):
        lines.append(f'venv/bin/python -c "{_CONFIGURED}; import {module}"')
    return lines


def _module(result: Result) -> str:
    """Return the module of a package, not Django's, in which a traceback ends."""
    step = failures.first_failed(result)
    files = [each["file"] for each in _FRAME.finditer(step.excerpt if step else "")]
    own = [each for each in files if not each.startswith("django/")]
    return own[-1].replace("/", ".").removesuffix(".__init__") if own else ""


def _failure(result: Result) -> str:
    step = failures.first_failed(result)
    return step.excerpt or step.cause if step else result.verdicts.overall.text


def _finding(root: Root, result: Result) -> Finding | None:
    """Return the answer of *result* that *root* is about; None where it is the verdict."""
    return next((each for each in catches.answers(result) if each.id in root.questions and each.good is False), None)


def _steps(finding: Finding) -> str:
    steps = next((steps for pattern, steps in _STEPS if re.fullmatch(pattern, finding.id)), "{subject}.")
    return steps.replace("{subject}", finding.question.partition(":")[0])
