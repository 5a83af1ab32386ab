"""What failures say: the same words for the same failure, whichever Python and server it is told by."""

from __future__ import annotations

import msgspec
import pytest
import samples
from made import alike

from harness.results.failures import told
from harness.results.result import Judgement, Step
from harness.verdict import Reason


def failed(text: str, excerpt: str = ""):
    judgement = Judgement.of(Reason.SERVER_DID_NOT_START, text)
    verdicts = alike(judgement)
    steps = [Step(name="runserver", outcome="failed", cause=text, excerpt=excerpt)]
    return msgspec.structs.replace(samples.of("py311-django22"), verdicts=verdicts, steps=steps)


@pytest.mark.parametrize(
    ("text", "excerpt", "said"),
    [
        ("ended: ModuleNotFoundError: No module named 'django.utils.six'", "", "django.utils.six cannot be imported"),
        (
            "No module named 'django.utils.six'. Did you mean: 'django.utils._os'?",
            "",
            "django.utils.six cannot be imported",
        ),
        ("cannot import name 'six' from 'django.utils' (<cell>/x.py)", "", "django.utils.six cannot be imported"),
        (
            "ImportError: cannot import name patterns",
            "    from django.conf.urls import patterns, url\nImportError: cannot import name patterns",
            "django.conf.urls.patterns cannot be imported",
        ),
        (
            "ImportError: No module named importlib",
            "    from django.utils.importlib import import_module\nImportError: No module named importlib",
            "django.utils.importlib cannot be imported",
        ),
        ("ModuleNotFoundError: No module named 'cgi'", "", "cgi cannot be imported"),
        (
            "AttributeError: module 'asyncio' has no attribute 'create_task'",
            "",
            "asyncio.create_task cannot be imported",
        ),
        (
            "SyntaxError: invalid syntax",
            'File "<home>/a/<build>/src/django_socketio/utils.py", line 44\nSyntaxError: invalid syntax',
            "django_socketio/utils.py cannot be parsed",
        ),
        (
            "failed: WebSocketTimeoutException: late; the server printed: TypeError: got 3 of <cell>/lib/a.py",
            "",
            "TypeError: got … of …",
        ),
        ("it ended with exit status 7", "", "server did not start: it ended with exit status …"),
    ],
)
def test_told(text, excerpt, said):
    """The module or the exception is told, and nothing of what stands around it."""
    assert told(failed(text, excerpt)) == said


def test_what_works_says_nothing():
    """A cell that works, or was not tested, has no failure."""
    assert told(samples.of("py311-django22")) == ""
