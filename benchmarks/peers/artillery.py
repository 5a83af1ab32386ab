"""Artillery, from npm, with its engine for WebSockets; it is ``HARNESS_ARTILLERY``, or ``artillery`` on PATH.

It opens no connections at once: its users arrive one after the other, here so fast that it cannot keep up. Its own
report counts no messages by user, so :file:`artillery.js` does; what that costs is part of what it takes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path

from benchmarks.peers.task import CONNECTING, REACHING, Task, Usage, percentiles, room, show, summed

_HERE = Path(__file__).resolve().parent
#: Milliseconds between two users.
_APART = 0.25
_NOTE = "its users arrive one after the other; it counts no messages itself, artillery.js does"


def main() -> None:
    """Do the task, and print the row."""
    usage, task = Usage(), Task.read()
    room()
    program = os.environ.get("HARNESS_ARTILLERY") or shutil.which("artillery")
    if program is None:
        show("artillery", 0, note="not measured: npm install artillery")
        return
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        asked = {"subscribers": task.subscribers, "texts": task.texts, "reaching": REACHING, "result": str(result)}
        users = task.subscribers + 1
        env = {
            **os.environ,
            "ARTILLERY_DISABLE_TELEMETRY": "true",
            "NODE_OPTIONS": f"--require {_HERE / 'silent.js'}",
            "PEERS_URL": task.url,
            "PEERS_USERS": str(users),
            # It rounds what lies between two users down; half of that more, so that none is added.
            "PEERS_ARRIVING": f"{users * _APART + _APART / 2}ms",
            "PEERS_TASK": json.dumps(asked),
        }
        command = [program, "run", str(_HERE / "artillery.yml")]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=2 * CONNECTING, check=False)
        if not result.exists():
            sys.exit(f"artillery did not get through: {done.stdout}{done.stderr}")
        came = json.loads(result.read_text(encoding="utf-8"))
    began, opened, delivered = came["marks"]
    used = {
        "connect_seconds": round(opened["seconds"] - began["seconds"], 4),
        "cpu_seconds": round(usage.total()["cpu_seconds"] - began["cpu"], 4),
        "memory_mb": round(came["memory"] * 1024 / 1e6, 1),
        "connect_cpu_seconds": round(opened["cpu"] - began["cpu"], 4),
        "delivery_cpu_seconds": round(delivered["cpu"] - opened["cpu"], 4),
    }
    counted = {**summed(list(chain(*came["times"]))), **percentiles(came["took"])}
    show("artillery", task.subscribers, used, counted, note=f"{came['versions']}; {_NOTE}")


if __name__ == "__main__":
    main()
