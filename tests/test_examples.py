"""The examples of tests in a browser pass when they are run as a reader of the documentation runs them."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import needs
import pytest
from shared import ROOT

from harness.system import processes

DJANGO = ["manage.py", "test", "--settings", "myapp.channels2.settings", "tests/examples", "-p"]
PYTEST = ["-m", "pytest", "-p", "no:cacheprovider", "tests/examples/asgi_live_server.py"]
pytestmark = [pytest.mark.cell, needs.chromium]


@pytest.mark.parametrize(
    ("command", "passed"),
    [
        pytest.param([*DJANGO, "channels_live_server.py"], r"^Ran 2 tests in \S+\n\nOK$", id="channels_live_server"),
        pytest.param([*DJANGO, "channels_tutorial.py"], r"^Ran 3 tests in \S+\n\nOK$", id="channels_tutorial"),
        pytest.param(PYTEST, r"^=+ 2 passed in \S+ =+$", id="asgi_live_server"),
    ],
)
def test_examples(command, passed):
    """All tests of an example are run and pass, and its database is removed."""
    # What is meant for the pytest that runs this test is not for the one that it starts.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTEST_"))}
    # Chromium leaves files in HOME and TMPDIR; its socket in the latter needs a shorter path than that of tmp_path.
    with tempfile.TemporaryDirectory() as folder:
        database, log = Path(folder, "test.sqlite3"), Path(folder, "log")
        env.update(HOME=folder, TMPDIR=folder, CHAT_LAYER="memory", CHAT_TEST_DATABASE=str(database))
        ended = processes.run([sys.executable, *command], env, ROOT, log, 120)
        output = log.read_text(encoding="utf-8", errors="replace")
        assert ended.exit_status == 0, output
        assert re.search(passed, output, re.MULTILINE), output
        assert not database.exists()
