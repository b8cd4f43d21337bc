"""Every vector of sealed messages through the second reader, where the library has HPKE."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cryptography.hazmat.primitives.hpke")

from independent import keys
from independent.messages import bound, open_message
from independent.wire import Refused

VECTORS = Path(__file__).parents[1] / "vectors"
CASES: list[dict[str, Any]] = json.loads((VECTORS / "message.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_message(case: dict[str, Any]) -> None:
    """What is to open opens to the same text, and nothing else does; what was sealed is signed."""
    inputs, steps = case["in"], case["steps"]
    if inputs["op"] == "seal":
        context = bound(inputs)
        assert context.hex() == steps["context"]
        signed = keys.prefix("message") + context + inputs["text"].encode()
        assert keys.sign(bytes.fromhex(inputs["seed"]), signed).hex() == steps["signature"]
    elif case["result"] == "valid":
        assert open_message(inputs) == steps
    else:
        with pytest.raises(Refused):
            open_message(inputs)
