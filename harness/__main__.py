"""``python -m harness``: see ``harness.commands``.

Started with a Python that lacks what the harness runs on, it goes on with the one that tox made.
"""

import os
import sys

try:
    from harness.commands import main

    if __name__ == "__main__":
        main()
except ImportError as error:
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    provisioned = os.path.join(here, ".tox", ".tox", "bin", "python")
    if error.name in (None, "harness"):
        raise
    if not os.path.exists(provisioned) or sys.prefix == os.path.dirname(os.path.dirname(provisioned)):
        sys.exit(
            "error: %s is not installed; run `tox -l` with a Python of 3.11 or newer, which makes the environment"
            " of the harness" % error.name
        )
    os.execv(provisioned, [provisioned, "-m", "harness"] + sys.argv[1:])
except KeyboardInterrupt:
    sys.stderr.write("error: interrupted; nothing had begun\n")
    sys.exit(130)
