"""Write the vectors, or say whether those on disk are what the code writes.

    python tests/vectors/make_vectors.py            write tests/vectors/*.json
    python tests/vectors/make_vectors.py --check    exit with 1 if a file differs

Vectors are never edited by hand: change a `cases_*.py`, then run this.
"""

import difflib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "protocol"))

from vectors import (
    cases_body,
    cases_bundle,
    cases_changes,
    cases_checkpoint,
    cases_digest,
    cases_distance,
    cases_encoding,
    cases_frame,
    cases_handshake,
    cases_identity,
    cases_log,
    cases_message,
    cases_metrics,
    cases_policy,
    cases_presence,
    cases_record,
    cases_scoring,
    cases_signature,
    cases_state,
    cases_transcript,
)
from vectors.suite import Suite

FOLDER: Final = Path(__file__).resolve().parent
BUILDERS: Final[tuple[Callable[[], Suite], ...]] = (
    cases_encoding.build,
    cases_identity.build,
    cases_signature.build,
    cases_record.build,
    cases_body.build,
    cases_log.build,
    cases_handshake.build,
    cases_frame.build,
    cases_checkpoint.build,
    cases_digest.build,
    cases_changes.build,
    cases_state.build,
    cases_distance.build,
    cases_policy.build,
    cases_scoring.build,
    cases_metrics.build,
    cases_bundle.build,
    cases_message.build,
    cases_presence.build,
    cases_transcript.build,
)
DIFF_LINES_MAX: Final = 20  # lines of a difference that are shown


def texts() -> dict[str, str]:
    """Return the text of each file of vectors by its name."""
    suites = [build() for build in BUILDERS]
    return {f"{suite.name}.json": suite.render() for suite in suites}


def differences() -> list[str]:
    """Return a line for each way in which the files on disk differ from what the code writes."""
    wanted = texts()
    lines = []
    for name, text in wanted.items():
        path = FOLDER / name
        found = path.read_text(encoding="utf-8") if path.exists() else ""
        diff = difflib.unified_diff(
            found.splitlines(), text.splitlines(), name, "code", lineterm=""
        )
        lines += [line[:200] for line in diff][:DIFF_LINES_MAX]
    strangers = {path.name for path in FOLDER.glob("*.json")} - set(wanted) - {"schema.json"}
    return lines + [f"{name}: no code writes this file" for name in sorted(strangers)]


def write() -> None:
    """Write all files of vectors."""
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
        _say(f"{name}: {len(text):,} bytes")


def main(arguments: list[str]) -> int:
    """Run the tool and return its exit status."""
    if arguments == ["--check"]:
        lines = differences()
        _say("\n".join(lines) or "the vectors are what the code writes")
        return 1 if lines else 0
    if arguments:
        _say(__doc__ or "")
        return 2
    write()
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
