"""``python -m harness.dtws``: see ``harness.dtws``."""

from harness.dtws import main

if __name__ == "__main__":
    main()
