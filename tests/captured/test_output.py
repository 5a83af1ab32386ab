"""What is read out of captured output."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.captured import output

CHAINED = """Performing system checks...
Traceback (most recent call last):
  File "a.py", line 3, in f
    import x
ModuleNotFoundError: No module named 'django.utils.six'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "b.py", line 9, in g
    raise
django.core.exceptions.ImproperlyConfigured: WSGI application 'x' could not be loaded
"""


def test_first_cause_of_a_chain():
    """The first exception of a chain is the cause, and the excerpt shows the whole chain."""
    found = output.failure(CHAINED)
    assert found.cause.startswith("ModuleNotFoundError: No module named 'django.utils.six', which ended as django")
    assert found.excerpt.startswith("Traceback")
    assert found.excerpt.endswith("could not be loaded")


def test_last_of_several_tracebacks():
    """An unrelated traceback before the last one is not the cause."""
    text = "Traceback (most recent call last):\n  File \"x\", line 1\nKeyError: 'harmless'\nserving\n" + CHAINED
    assert "harmless" not in output.failure(text).cause


def test_indented_traceback():
    """A traceback that an installer indents is read as one at the left edge."""
    text = "error: Failed to build x\n\n      [stderr]\n" + "".join(
        f"      {line}\n"
        for line in ("Traceback (most recent call last):", '  File "setup.py", line 4', "SyntaxError: no")
    )
    found = output.failure(text + "\nhint: look at it\n")
    assert found.cause == "SyntaxError: no"
    assert found.excerpt == 'Traceback (most recent call last):\n  File "setup.py", line 4\nSyntaxError: no'


def test_failure_of_twisted():
    """Twisted prints the exception before its frames."""
    text = (
        "GET / 200\n[Failure instance: Traceback: <class 'exceptions.AttributeError'>: no such thing\n"
        "/x/defer.py:216:maybeDeferred\n/x/server.py:200:create\n]\nDISCONNECT\n"
    )
    found = output.failure(text)
    assert found.cause == "AttributeError: no such thing"
    assert found.excerpt.splitlines()[-2:] == ["/x/server.py:200:create", "]"]
    assert output.traceback("nothing of the kind") is None


def test_no_traceback():
    """Without a traceback the line that says error is the cause, or else the last one."""
    assert output.failure("fetching\nerror: no wheel\nbye").cause == "error: no wheel"
    assert output.failure("one\ntwo\n").cause == "two"
    assert output.failure("").cause == "it printed nothing"


@given(st.text(max_size=3000))
def test_any_text(text):
    """Any text gives a cause and an excerpt within the limits."""
    found = output.failure(text)
    assert found.cause
    assert len(found.excerpt) <= output.EXCERPT_CHARS + 100


def test_warnings():
    """Each deprecation warning is listed once, other warnings are not."""
    text = "x.py:1: RemovedInDjango19Warning: old\n  code\nx.py:1: RemovedInDjango19Warning: old\n"
    text += "y.py:2: UserWarning: no\n"
    assert output.warnings(text) == ["x.py:1: RemovedInDjango19Warning: old"]


def test_large_output(tmp_path):
    """Of a large output the two ends are read, and what is left out is said."""
    log = tmp_path / "log"
    log.write_bytes(b"first\n" + b"x" * 10_000_000 + b"\nlast\n")
    text = output.read(log)
    assert len(text) < 600_000
    assert text.startswith("first")
    assert text.endswith("last\n")
    assert "bytes left out" in text


@pytest.mark.parametrize(
    "text",
    [
        "  Caused by: dns error: failed to lookup address information: Name or service not known",
        "NewConnectionError('<pip._vendor…>: Failed to establish a new connection')",
        "HTTP status server error (503 Service Unavailable) for url",
        "Read timed out.",
        "operation timed out",
    ],
)
def test_network(text):
    """What an installer says of its own connections is recognised."""
    assert output.no_network(text)


@pytest.mark.parametrize(
    "text",
    [
        "No solution found when resolving dependencies",
        "error: command 'gcc' failed",
        "No matching distribution",
        "HTTP status client error (404 Not Found)",
        "  x Failed to build `tiny`\n  NameError: name 'ProxyError' is not defined",
    ],
)
def test_no_network(text):
    """What an installer says of packages, or a package's own build of anything, is not the network."""
    assert not output.no_network(text)


@pytest.mark.parametrize(
    "said",
    [
        "error: command 'gcc' failed: No such file or directory",
        "unable to execute 'x86_64-linux-gnu-gcc': No such file or directory",
        "configure: error: no acceptable C compiler found in $PATH",
        "/bin/sh: 1: gcc: not found",
    ],
)
def test_no_compiler(said):
    """That there is no compiler is the machine's lack; a compiler that fails is not."""
    assert output.no_compiler(f"Building wheel for thing\n{said}\n")
    assert not output.no_compiler("error: command '/usr/bin/gcc' failed with exit code 1")
