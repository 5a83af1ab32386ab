"""``python -m harness.dtws``, and ``dtws`` where it is installed: see ``harness.dtws.commands``."""

import sys

try:
    from harness.dtws.commands import main

    if __name__ == "__main__":
        main()
except KeyboardInterrupt:
    sys.stderr.write("error: interrupted; nothing had begun\n")
    sys.exit(130)
