"""`make bench`: see README.md beside this file, and `--help`."""

import sys

from mycelia_bench.cli import main

if __name__ == "__main__":
    sys.exit(main())
