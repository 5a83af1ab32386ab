"""Child processes end: in time, with all they started, and also when the harness itself is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest
from shared import ROOT

from harness.errors import HarnessError
from harness.system import processes
from harness.system.waiting import wait_until

ENV = dict(os.environ)
SLEEP = [sys.executable, "-c", "import signal; signal.pause()"]


def test_output_and_exit_status(tmp_path):
    """The exit status is told, and the whole output of both streams is in the log."""
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(7)"
    ended = processes.run([sys.executable, "-c", code], ENV, tmp_path, tmp_path / "log", 20)
    assert (ended.exit_status, ended.timed_out) == (7, False)
    assert (tmp_path / "log").read_text() == "out\nerr\n"


def test_deadline(tmp_path):
    """What does not end in time is ended."""
    ended = processes.run(SLEEP, ENV, tmp_path, tmp_path / "log", 0.2)
    assert ended.timed_out
    assert ended.exit_status is not None


def test_family_that_left_its_session(tmp_path):
    """A grandchild in a session of its own, whose parent has ended, is found and ended."""
    code = f"import subprocess; subprocess.Popen({SLEEP!r}, start_new_session=True)"
    child = processes.Child([sys.executable, "-c", code], ENV, tmp_path, tmp_path / "log")
    psutil.wait_procs([psutil.Process(child.pid)], timeout=20)
    family = child.family()
    assert len(family) == 1
    assert child.stop().left_behind == 1
    assert not family[0].is_running()


def test_family_without_environment(tmp_path):
    """What lost its environment is found by its session, also when its parent has ended."""
    code = f"import os; os.fork() or os.execve({sys.executable!r}, {SLEEP!r}, {{}})"
    child = processes.Child([sys.executable, "-c", code], ENV, tmp_path, tmp_path / "log")
    psutil.wait_procs([psutil.Process(child.pid)], timeout=20)
    assert child.stop().left_behind == 1


ABANDON = """
import os, sys
from pathlib import Path
from harness.system import processes
here = Path(sys.argv[1])
with processes.owning(here):
    code = "import os; os.fork() or (os.setsid(), os.execve(sys.executable, sleep, {}))"
    code = f"import sys; sleep = {[sys.executable, '-c', 'import signal; signal.pause()']!r}; {code}"
    child = processes.Child([sys.executable, "-c", code], dict(os.environ), here, here / "log")
    child.wait(20)
    import psutil
    print([each.pid for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands over what a child abandons")
def test_family_without_anything(tmp_path):
    """What left its session and lost its environment is still ended."""
    done = subprocess.run(
        [sys.executable, "-c", ABANDON, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_missing_program(tmp_path):
    """A program that is not there is named."""
    with pytest.raises(HarnessError, match="no-such-program"):
        processes.Child([str(tmp_path / "no-such-program")], ENV, tmp_path, tmp_path / "log")


def test_stopped_when_the_block_fails(tmp_path):
    """An error in the block leaves nothing running."""
    with pytest.raises(ZeroDivisionError), processes.started(SLEEP, ENV, tmp_path, tmp_path / "log") as child:
        1 / 0  # noqa: B018
    assert child.exit_status is not None


OWNER = """
import os, sys, time
from pathlib import Path
from harness.system import processes
here = Path(sys.argv[1])
env = {**os.environ, processes.OWNER: processes.owner_mark(here)}
# It loses its environment, as what sets its title does.
code = "import os, sys; os.execve(sys.executable, [sys.executable, '-c', 'import signal; signal.pause()'], {})"
child = processes.Child([sys.executable, "-c", code], env, here, here / "log")
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_sweep_ends_exactly_the_orphans(tmp_path):
    """What a killed run left is ended by the next; what belongs to another checkout or to a live run is not."""
    places = {name: tmp_path / name for name in ("killed", "other", "alive")}
    owners, children = {}, {}
    for name, place in places.items():
        place.mkdir()
        checkout = places["killed"] if name == "alive" else place
        owners[name] = subprocess.Popen(
            [sys.executable, "-c", OWNER, str(checkout)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        children[name] = psutil.Process(int(owners[name].stdout.readline()))
    try:
        for name in ("killed", "other"):
            owners[name].kill()
            owners[name].wait()
        assert processes.sweep(places["killed"]) == 1
        assert not children["killed"].is_running()
        assert children["other"].is_running()
        assert children["alive"].is_running()
    finally:
        # First the owners: what one of them has started is waited for by it, and by nobody else as long as it lives.
        for owner in owners.values():
            owner.kill()
            owner.communicate()
        processes.end([child for child in children.values() if child.is_running()])


def test_sweep_while_environments_change(tmp_path, monkeypatch):
    """A process that goes on with another environment while it is looked at is the orphan that it was."""
    environments = iter([{processes.OWNER: f"1:gone:{processes._checkout_id(tmp_path)}"}])
    process = SimpleNamespace(
        pid=0,
        uids=lambda: SimpleNamespace(real=os.getuid()),
        environ=lambda: next(environments, {}),
    )
    monkeypatch.setattr(processes.psutil, "process_iter", lambda: [process])
    ended = []
    monkeypatch.setattr(processes, "end", ended.extend)
    processes.sweep(tmp_path)
    assert ended == [process]


def test_sweep_while_another_run_ends(tmp_path, monkeypatch):
    """A ledger that is gone by the time it is read is that of a run that has ended, and nothing to complain of."""
    ledger = processes._ledger(f"1:gone:{processes._checkout_id(tmp_path)}")
    ledger.parent.mkdir(mode=0o700, exist_ok=True)
    ledger.touch()
    monkeypatch.setattr(processes, "_alive", lambda pid, birth: ledger.unlink())
    monkeypatch.setattr(processes, "_marked", lambda name: ())
    assert processes.sweep(tmp_path) == 0
    ledger.parent.rmdir()


KEEPS = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
kept = [listener.accept()[0] for _ in range(2)]
print("accepted", flush=True)
listener.accept()[0].recv(1)
for each in kept:
    each.close()
print("closed", flush=True)
listener.accept()
"""


def test_half_closed(tmp_path):
    """A connection that its client has closed, and the server not yet, is counted until the server closes it too."""
    log = tmp_path / "log"
    with processes.started([sys.executable, "-c", KEEPS], ENV, tmp_path, log) as server:
        port = int(wait_until(lambda: log.read_text().partition("\n")[0], 20.0))
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        assert wait_until(lambda: "accepted" in log.read_text(), 20.0)
        assert server.half_closed(port) == 0
        clients[0].close()
        assert wait_until(lambda: server.half_closed(port) == 1, 20.0)
        assert server.half_closed(port + 1) == 0
        clients[1].close()
        assert wait_until(lambda: server.half_closed(port) == 2, 20.0)
        with socket.create_connection(("127.0.0.1", port)) as last:
            last.sendall(b"x")
            assert wait_until(lambda: "closed" in log.read_text(), 20.0)
            assert server.half_closed(port) == 0


def test_half_closed_of_none(tmp_path):
    """A process that has ended has no connections."""
    with processes.started([sys.executable, "-c", ""], ENV, tmp_path, tmp_path / "log") as server:
        server.wait(20)
        assert server.half_closed(80) == 0


def test_second_signal_is_ignored():
    """The first signal interrupts; the second, which a terminal and tox both send, does not."""
    code = """
import os, signal
from harness.errors import Interrupted
from harness.system.processes import interruptible
try:
    with interruptible():
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()
except Interrupted as error:
    print(error.exit_code)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.stdout.strip() == str(128 + signal.SIGINT)


def test_memory(tmp_path):
    """The memory of a process counts with that of all it started, and is none once they have ended."""
    child_code = "import time; held = bytes([1]) * 80_000_000; time.sleep(60)"  # zeros would take no memory
    command = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{child_code}'])"]
    with processes.started(command, dict(os.environ), tmp_path, tmp_path / "log") as child:
        assert wait_until(lambda: child.memory() > 80_000_000, 20)
    assert child.memory() == 0
