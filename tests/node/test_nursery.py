"""The nursery that tests fork daemons from: nothing that it started outlives it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from node_daemons import DEADLINE_S, ENVIRONMENT

pytestmark = pytest.mark.daemon
# Starts a daemon, says its pid, and ends without a word to it.
FORGETFUL = """
import json, os, sys
sys.path[:0] = json.loads(sys.argv[1])
from support.nursery import fork
with open(sys.argv[2] + ".log", "a") as log:
    daemon = fork(["up", "--json", "--home", sys.argv[2]], os.environ, log)
ready = json.loads(daemon.stdout.readline())
assert ready["pid"] == daemon.pid == os.getpgid(daemon.pid) == os.getsid(daemon.pid)
print(daemon.pid)
"""


def test_a_daemon_that_a_test_forgot_ends(tmp_path: Path) -> None:
    """A daemon leads its own session, and is killed when the process that wanted it has ended."""
    done = subprocess.run(
        [sys.executable, "-c", FORGETFUL, json.dumps(sys.path), str(tmp_path / "home")],
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "PYTHONWARNINGS": ""},
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)
