"""A node with one planted defect: it takes every signature of a record for a good one."""

import runpy

from mycelia_protocol import record


def trusting(public: bytes, record_id: bytes, signature: bytes) -> bool:
    """Believe whatever it is shown."""
    return True


record.verify_id = trusting  # type: ignore[attr-defined]
runpy.run_module("mycelia_node", run_name="__main__")
