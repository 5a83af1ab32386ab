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


def test_traceback_behind_a_word():
    """The pip of 2019 puts a word before the first line of what a build printed: that is a traceback all the same."""
    text = (
        "Collecting x\n    ERROR: Complete output from command python setup.py egg_info:\n"
        "    ERROR: Traceback (most recent call last):\n"
        '      File "setup.py", line 44\n        except A, B:\n                ^\n    SyntaxError: invalid syntax\n'
        "    ----------------------------------------\nERROR: Command failed with error code 1\n"
    )
    found = output.failure(text)
    assert found.cause == "SyntaxError: invalid syntax"
    assert found.excerpt.splitlines()[0] == "Traceback (most recent call last):"


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


@pytest.mark.parametrize(("text", "last"), [("", ""), ("\n \n", ""), ("a\n b \n\n", "b")])
def test_last_line(text, last):
    """The last line is the last that says something."""
    assert output.last_line(text) == last


def test_warnings():
    """Each deprecation warning is listed once, other warnings are not."""
    text = "x.py:1: RemovedInDjango19Warning: old\n  code\nx.py:1: RemovedInDjango19Warning: old\n"
    text += "y.py:2: UserWarning: no\n"
    assert output.warnings(text) == ["x.py:1: RemovedInDjango19Warning: old"]


def test_warnings_between_the_dots_of_tests():
    """What a test runner prints before a warning, on the same line, is no part of it."""
    text = "..F.<cell>/a.py:4: RemovedInDjango19Warning: old\n"
    assert output.warnings(text) == ["<cell>/a.py:4: RemovedInDjango19Warning: old"]


def test_large_output(tmp_path):
    """Of a large output the two ends are read, and what is left out is said."""
    log = tmp_path / "log"
    log.write_bytes(b"first\n" + b"x" * 10_000_000 + b"\nlast\n")
    text = output.read(log)
    assert len(text) < 600_000
    assert text.startswith("first")
    assert text.endswith("last\n")
    assert "bytes left out" in text
    behind = output.read(log, since=6)
    assert (behind.startswith("x"), behind.endswith("last\n")) == (True, True)
    assert output.read(log, since=log.stat().st_size - 5) == "last\n"


@pytest.mark.parametrize(
    "text",
    [
        "  Caused by: dns error: failed to lookup address information: Name or service not known",
        "NewConnectionError('<pip._vendor…>: Failed to establish a new connection')",
        "HTTP status server error (503 Service Unavailable) for url",
        "Read timed out.",
        "operation timed out",
        "hint: Packages were unavailable because the network was disabled.",
    ],
)
def test_network(text):
    """What an installer says of its own connections is recognised."""
    assert output.no_network(text)


def test_nothing_fits_together():
    """Where no versions fit together the cause says between which, which uv prints on the next line."""
    text = (
        "error: No solution found when resolving dependencies\n"
        "  cause: Because channels-redis>=4.2.0 depends on redis>=4.6, we can conclude that it depends on redis.\n"
        "         And because you require redis<3, we can conclude that your requirements are unsatisfiable.\n"
    )
    assert output.failure(text).cause == (
        "error: No solution found when resolving dependencies: "
        "Because channels-redis>=4.2.0 depends on redis>=4.6, we can conclude that it depends on redis."
    )


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
    ("said", "lacking"),
    [
        ("error: command 'gcc' failed: No such file or directory", "gcc"),
        ("unable to execute 'x86_64-linux-gnu-gcc': No such file or directory", "x86_64-linux-gnu-gcc"),
        ("error: command 'g++' failed: No such file or directory", "g++"),
        ("configure: error: no acceptable C compiler found in $PATH", "C compiler"),
        ("/bin/sh: 1: gcc: not found", "gcc"),
        ("/bin/sh: line 1: pkg-config: command not found", "pkg-config"),
        ("error: can't find Rust compiler", "Rust compiler"),
        ("Cargo, the Rust package manager, is not installed or is not on PATH.", "Cargo"),
        ("chat.c:1:10: fatal error: Python.h: No such file or directory", "Python.h"),
        ("chat.c:1:10: fatal error: 'Python.h' file not found", "Python.h"),
        ("ssl.c:9:10: fatal error: openssl/ssl.h: No such file or directory", "openssl/ssl.h"),
        ("/usr/bin/ld: cannot find -lpq: No such file or directory", "-lpq"),
    ],
)
def test_not_there(said, lacking):
    """A compiler, a header or a library that a build looks for in vain is named: the machine lacks it."""
    assert output.not_there(f"Building wheel for thing\n{said}\n") == lacking


@pytest.mark.parametrize(
    "said",
    [
        "error: command '/usr/bin/gcc' failed with exit code 1",
        # It was Python's own, and has gone from Python 3.12.
        "chat.c:1:10: fatal error: longintrepr.h: No such file or directory",
        "chat.c:1:10: fatal error: thing.h: No such file or directory",
        "chat.c:3:1: error: implicit declaration of function 'PyString_Check'",
        "",
    ],
)
def test_nothing_lacks(said):
    """A compiler that is there and fails, or a header that no machine has, is not the machine's fault."""
    assert output.not_there(f"Building wheel for thing\n{said}\n") == ""


def test_was_built():
    """A package whose build failed was fetched before; one that was not fetched was not built."""
    assert output.was_built("Resolved 3 packages\n  x Failed to build `tiny`\n")
    assert output.was_built("  Building wheel for tiny (setup.py): started\n")
    assert not output.was_built("error: No solution found when resolving dependencies\n")


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("Failed to download `helper @ http://one.example/helper-1.0.whl`", ["one.example"]),
        ("helper[fast] @ git+https://me:secret@two.example:8443/x.git", ["two.example:8443"]),
        ("a @ https://b.example/a.zip and c @ https://a.example/c.zip and b.example", ["a.example", "b.example"]),
        ("needy @ file:///home/mary/needy.whl", []),
        ("error sending request for url (https://pypi.org/simple/helper/)", []),
        ("Failed to build `tiny`\nhelper @ https://one.example/helper.zip", []),
    ],
)
def test_addresses(text, hosts):
    """The hosts of packages that are asked for by their address are known, and nothing else is taken for one."""
    assert output.addresses(text) == hosts


CRASH = """Starting development server
Fatal Python error: Segmentation fault

Thread 0x00007f2a6a9a1740 (most recent call first):
  File "/env/lib/python3.11/site-packages/fast/loop.py", line 7 in run
  File "/usr/lib/python3.11/threading.py", line 9 in run
"""


def test_crashed_in():
    """Of an interpreter that crashed the file is known whose code ran then, which is the first of the frames."""
    assert output.crashed_in(CRASH) == "/env/lib/python3.11/site-packages/fast/loop.py"


@pytest.mark.parametrize("text", ["", "Segmentation fault\n", 'Traceback (most recent call last):\n  File "x"\n'])
def test_no_crash(text):
    """What is no crash of an interpreter, or does not say where, names no file."""
    assert output.crashed_in(text) is None


def test_was_installed():
    """What came with a package lies among those, and what came with Python itself does not."""
    assert output.was_installed("/env/lib/python3.11/site-packages/fast/loop.py")
    assert not output.was_installed("/usr/lib/python3.11/threading.py")
    assert not output.was_installed("manage.py")
