"""What tox.ini alone cannot say.

* The harness runs on the Python of tox itself: ``HARNESS_PYTHON``.
* An environment's interpreter is the one that was run and gave its version; when there is none,
  or when the environment cannot be made, that is recorded as "not tested".
* Python 2.7 and 3.3 to 3.5 get a virtual environment from a virtualenv of their own time.
* A name that is not in the matrix is refused, also when each of its factors is known.
* A run of several cells shows how many are done, with what verdict, and how long the rest will take.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from tox.plugin import impl
from tox.report import HandledError

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))
os.environ["HARNESS_PYTHON"] = sys.executable

#: What `tox -m quick` runs: of each line the first cell whose interpreter is found.
QUICK = (
    ("py27-django18",),
    ("py39-django22", "py38-django22", "py37-django22", "py36-django22"),
    ("py311-django22", "py310-django22"),
    ("py313-django52-channels4", "py312-django52-channels4", "py314-django52-channels4"),
)

#: The labels whose cells are also asked the probe of that name.
PROBING = ("browser", "deep", "load", "stress")

try:
    from tox_uv._run import UvVenvRunner

    from harness.cell import base
    from harness.environments import interpreters, legacy
    from harness.matrix import session
    from harness.results.folder import Reports
except ImportError:  # the host's tox, which is about to provision the pinned one
    UvVenvRunner = None

if UvVenvRunner is None:
    from filelock import FileLock, Timeout

    @impl
    def tox_add_core_config(core_conf, state):
        """Say so when another tox holds the harness's environment: tox itself waits without a word."""
        lock = ROOT / ".tox" / ".tox" / "file.lock"
        try:
            if lock.exists():
                with FileLock(lock).acquire(timeout=0):
                    pass
        except (Timeout, OSError):
            print("another tox runs in this checkout; waiting until it ends", file=sys.stderr)


if UvVenvRunner is not None:
    from tox.config.types import EnvList
    from tox.session.cmd.run import common
    from tox.session.env_select import CliEnv
    from tox.tox_env.errors import Fail, Skip
    from tox.tox_env.python.api import PythonInfo, VersionInfo
    from tox.tox_env.python.virtual_env.runner import VirtualEnvRunner
    from tox.tox_env.python.virtual_env.subprocess_adapter import (
        SubprocessPythonInfo,
        SubprocessSession,
        _VersionInfo,
    )

    class _CellRunner:
        """Finds the interpreter of a cell, and records why a cell could not be tested."""

        def setup(self):
            version = interpreters.python_of(self.conf.name)
            if interpreters.find(version) is None:
                self._not_tested("interpreter missing", f"no Python {version} found")
                raise Skip(f"no Python {version} found; {interpreters.how_to_get(version)}")
            env = Path(self.conf["env_dir"])
            before = base.found(env)
            try:
                super().setup()
            except (Fail, SystemExit) as error:
                log = self._install_log()
                self._not_tested("environment failed", "tox could not make the environment", log)
                raise error
            # What comes there from now on somebody installs by hand.
            base.renew(env, before)

        def _not_tested(self, reason, detail, log=None):
            # Of a cell that is not in the matrix there is no record that could say so.
            if self.options.no_record or "--any" in sys.argv:
                return
            command = [sys.executable, "-m", "harness", "not-tested", self.conf.name, reason, detail]
            command += ["--log", str(log)] if log else []
            subprocess.run(command, cwd=ROOT, check=False)

        def _install_log(self):
            logs = sorted(Path(self.conf["env_log_dir"]).glob("*-install*.log"), key=os.path.getmtime)
            return logs[-1] if logs else None

        def _found(self):
            return interpreters.find(interpreters.python_of(self.conf.name))

    class CellRunner(_CellRunner, UvVenvRunner):
        """A cell that uv can make and fill: Python 3.6 and newer."""

        @staticmethod
        def id():
            return "cell"

        def _get_python(self, base_python):
            found = self._found()
            if found is None:
                return super()._get_python(base_python)
            major, minor, micro = (int(part) for part in found.version.split("."))
            return PythonInfo(
                implementation="CPython",
                version_info=VersionInfo(major, minor, micro, "final", 0),
                version=found.version,
                is_64=sys.maxsize > 2**32,
                platform=sys.platform,
                extra={"executable": str(found.path)},
            )

    class LegacySession(SubprocessSession):
        """Runs virtualenv *with the interpreter it is for*, from a wheel that the host fetched.

        Newer virtualenvs refuse such interpreters, and the old ones no longer run on a new host.
        """

        def __init__(self, env_dir, requirement, interpreter):
            super().__init__(env_dir, None, {}, interpreter)
            self._requirement = requirement

        def run(self):
            try:
                legacy.make_environment(
                    Path(self.creator.interpreter.system_executable), self._requirement, self._env_dir
                )
            except legacy.LegacyError as error:
                raise Fail(str(error)) from error

    class LegacyCellRunner(_CellRunner, VirtualEnvRunner):
        """A cell that only a virtualenv of its own time can make: Python 2.7 and 3.3 to 3.5."""

        @staticmethod
        def id():
            return "legacy-cell"

        def _create_subprocess_session(self, spec, env):
            found, info = self._found(), None
            if found is not None:
                parts = (int(part) for part in found.version.split("."))
                info = SubprocessPythonInfo(
                    implementation="CPython",
                    version_info=_VersionInfo(*parts, "final", 0),
                    version=found.version,
                    architecture=64 if sys.maxsize > 2**32 else 32,
                    platform=sys.platform,
                    system_executable=str(found.path),
                    free_threaded=False,
                )
            return LegacySession(self.env_dir, spec, info)

    class MatrixSpinner(common.ToxSpinner):
        """Says of each cell that has ended what its verdict is, where tox would say that a command succeeded.

        tox has no hook for this; its version is pinned, and a test runs a matrix through it.
        """

        _COLOURS = MappingProxyType({"works": "\x1b[32m", "does not work": "\x1b[31m", "not tested": "\x1b[33m"})

        def __init__(self, enabled, state, total):
            super().__init__(enabled, state, total)
            cells = [name for name in state.envs.iter() if interpreters.python_of(name)]
            reports = Reports(Path(os.environ.get("HARNESS_REPORTS") or ROOT / "reports"))
            workers = getattr(state.conf.options, "parallel", 1)
            workers = len(cells) if workers is None else workers  # "all"
            self._session = session.Session(cells, workers, reports) if len(cells) > 1 else None

        def update_spinner(self, result, success):
            if self._session is None or not interpreters.python_of(result.name):
                super().update_spinner(result, success)
                return
            self._envs.pop(result.name, None)
            line, verdict = self._session.ended(result.name, result.code)
            if self.is_colored:
                line = f"{self._COLOURS.get(verdict, '')}{line}\x1b[0m"
            self.clear()
            self.stream.write(f"{line}  {result.duration:.1f} s; {self._session.left()}\n")

        def frame(self):
            plain = super().frame()
            if self._session is None:
                return plain
            left = f"; {self._session.left()}"
            done = f"{plain[0]} {self._session.done} of {self._session.total} done, running {', '.join(self._envs)}"
            return done[: self.max_width - 1 - len(left)] + left

    common.ToxSpinner = MatrixSpinner

    @impl
    def tox_register_tox_env(register):
        register.add_run_env(CellRunner)
        register.add_run_env(LegacyCellRunner)

    @impl
    def tox_add_option(parser):
        parser.add_argument(
            "--no-record",
            action="store_true",
            help="do not record a result for a cell whose interpreter or environment is missing",
        )

    def _choose_quick(options):
        """Leave of the quick cells one for each line, and have them held against what is recorded."""
        chosen = [
            next((name for name in names if interpreters.find(interpreters.python_of(name))), names[0])
            for names in QUICK
        ]
        others = [name for names in QUICK for name in names if name not in chosen]
        options.skip_env = options.skip_env or f"^({'|'.join(others)})$"
        os.environ["HARNESS_EXPECT"] = "recorded"
        os.environ["HARNESS_SESSION"] = ",".join(chosen)
        os.environ["HARNESS_SESSION_BEGAN"] = datetime.now(UTC).isoformat(timespec="seconds")

    @impl
    def tox_add_core_config(core_conf, state):
        labels = getattr(state.conf.options, "labels", None) or []
        if "quick" in labels:
            _choose_quick(state.conf.options)
        if asked := [label for label in labels if label in PROBING]:
            os.environ["HARNESS_PROBE"] = " ".join(asked)
        # The same definition as tox makes of it later.
        core_conf.add_config("labels", dict[str, EnvList], {}, "core labels")
        for label in labels:
            _refuse_unknown(label, core_conf["labels"], "no label of tox.ini", "tox.ini has them all")
        if any(option in ("-e", "--env") and not names.strip(" ,") for option, names in pairwise(state.args)):
            raise HandledError("-e names no environment (`tox -l` lists every environment)")
        chosen = getattr(state.conf.options, "env", None)
        if not isinstance(chosen, CliEnv) or chosen.is_default_list or chosen.is_all:
            return
        if "--any" in state.args:
            return  # the harness keeps what comes of it apart from the matrix
        known = {*state.conf, *core_conf["env_list"]}
        for name in chosen:
            if not name.startswith("."):
                _refuse_unknown(name, known, "not in the matrix", "`tox -l` lists every environment")

    def _refuse_unknown(name, known, fault, where):
        """End with what is close to *name* when it is not among *known*."""
        if name not in known:
            close = get_close_matches(name, known, n=3, cutoff=0.7)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise HandledError(f"{name} is {fault}{hint} ({where})")
