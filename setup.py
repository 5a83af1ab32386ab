"""Build the distribution ``dtws`` out of the folder ``harness``.

Installed, the package is called ``dtws``: ``harness`` is too plain a name for somebody else's environment, in which
there may be another one. Nothing but the lines of import differs.
"""

import ast
import re
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
SOURCE, INSTALLED = "harness", "dtws"
_IMPORT = re.compile(rf"^(\s*)(from|import) {SOURCE}\b", re.MULTILINE)


class Renamed(build_py):
    """Copies each module with the name that the package has where it is installed."""

    def build_module(self, module, module_file, package):
        """Copy one module."""
        target, copied = super().build_module(module, module_file, package)
        path = Path(target)
        path.write_text(_IMPORT.sub(rf"\1\2 {INSTALLED}", path.read_text("utf-8")), "utf-8")
        return target, copied


def version():
    """Return the version that the package says it has."""
    tree = ast.parse((HERE / SOURCE / "__init__.py").read_text("utf-8"))
    named = (node for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "__version__")
    return ast.literal_eval(next(named).value)


def data():
    """Return the files beside the modules, and those that run in cells, which are copied as they are."""
    packages = {path.parent for path in (HERE / SOURCE).rglob("__init__.py")}
    files = [path for path in (HERE / SOURCE).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    beside = (path for path in files if path.suffix != ".py" or path.parent not in packages)
    return [str(path.relative_to(HERE / SOURCE)) for path in beside]


setup(
    version=version(),
    packages=[INSTALLED, *(f"{INSTALLED}.{name}" for name in find_packages(SOURCE))],
    package_dir={INSTALLED: SOURCE},
    package_data={INSTALLED: data()},
    cmdclass={"build_py": Renamed},
)
