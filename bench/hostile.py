"""What hostile members and strangers cost a node: see README.md beside this file, and `--help`."""

import sys

from mycelia_bench.hostile import main

if __name__ == "__main__":
    sys.exit(main())
