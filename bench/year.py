"""A made-up year in a real node's store: see README.md beside this file, and `--help`."""

import sys

from mycelia_bench.year import main

if __name__ == "__main__":
    sys.exit(main())
