"""``advise``: the ranked choices of a pair, what an upgrade asks, and what it says to what it does not understand."""

from __future__ import annotations

import pytest
import samples


@pytest.fixture
def asked(commandline, tmp_path):
    names = ("py36-django22", "py39-django22", "py313-django61-channels4", "py313-django52", "py311-django52-asgi")
    reports = samples.write(tmp_path / "reports", *names)
    return lambda *arguments: commandline("advise", *arguments, reports=reports.folder)


def test_a_pair(asked):
    """What works on the pair has a rank, a line that installs it, what to beware of, and why; the rule stands below."""
    told = asked("--python", "3.13", "--django", "6.1")
    assert told.returncode == 0, told.stderr
    first, *lines = told.stdout.splitlines()
    assert first == "Python 3.13, Django 6.1"
    assert "1. Django Channels 4 under runserver  ✓ Yes, but  (py313-django61-channels4)" in lines
    assert "    pip install Django==6.1.19 channels==4.3.2 channels_redis==4.3.0" in lines
    assert any(line.startswith("    mild: a message can be lost right after a handshake") for line in lines)
    assert "    Middling: any ASGI server, and consumers; a layer only between them." in lines
    assert any("Ranked by: it works on the pair" in line for line in lines)


def test_where_nothing_works(asked):
    """Where nothing works on the pair the nearest that does is named, what fails there, and the exit code is 1."""
    told = asked("--python", "3.13", "--django", "5.2")
    assert told.returncode == 1
    assert "Nothing that was measured works on this pair." in told.stdout
    assert "The nearest that works: py311-django52-asgi" in told.stdout
    assert "✗ django-websocket-redis under runserver (py313-django52)" in told.stdout


def test_a_pair_that_django_does_not_support(asked):
    """Of a pair that Django does not support it is said why, before what was measured or claimed."""
    told = asked("--python", "3.14", "--django", "4.2")
    said = "Django 4.2 supports Python 3.8 to 3.12. Django 4.2 gets no security fixes any more, since 2026-04-07."
    assert told.stdout.splitlines()[:2] == ["Python 3.14, Django 4.2", said]
    assert "gets no security fixes" not in asked("--python", "3.13", "--django", "6.0").stdout


def test_an_upgrade(asked):
    """From a cell each newer Python and Django is told with what it asks, and each step to the newest."""
    told = asked("--from", "py36-django22")
    assert told.returncode == 0, told.stderr
    assert (
        "Python 3.9, Django 2.2: asks nothing (py39-django22, ✓ Yes, but: somebody who is not logged in gets in; "
        in told.stdout
    )
    works = "channels4 under runserver works there, and no measured step leads to it"
    beyond = f"Python 3.13, Django 6.1: asks everything at once: {works}"
    assert beyond in told.stdout
    assert "1. Python 3.6 → 3.9: py39-django22" in told.stdout


def test_an_upgrade_without_a_way(asked):
    """An aim to which no measured step leads has the exit code 1."""
    told = asked("--from", "py36-django22", "--django", "6.1")
    assert (told.returncode, "and no measured step leads to it" in told.stdout) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "a Python and a Django are wanted"),
        (["--python", "3.13"], "a Python and a Django are wanted"),
        (["--python", "3.13.2", "--django", "6.0"], "'3.13.2' is no Python"),
        (["--python", "3.13", "--django", "main"], "'main' is no Django"),
        (["--python", "3.", "--django", "6.0"], "'3.' is no Python"),
        (["--from", "py36-django22", "--python", "abc"], "'abc' is no Python"),
        (["--from", "py99"], "'py99' is not the name of a cell"),
        (["--from", "py39-django18"], "nothing is recorded of py39-django18"),
    ],
)
def test_what_it_does_not_understand(asked, arguments, said):
    """What is missing or is no version is said, with what to name."""
    told = asked(*arguments)
    assert (told.returncode, said in told.stderr) == (2, True)
