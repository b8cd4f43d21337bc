"""Vectors of bundles in files, through the second reader."""

from typing import Any

from independent.bundles import Bundle, find_chunks, write_chunk
from independent.test_second_reader import Case, cases, judge


@cases("bundle")
def test_bundle(case: Case) -> None:
    """What is in a file."""
    data, commons = (bytes.fromhex(case["in"][name]) for name in ("bytes", "commons"))
    judge(case, lambda: bundle_outcome(Bundle(data, commons)))
    for chunk in find_chunks(data)[0]:
        assert write_chunk(chunk[:5]) == data[chunk[5] : chunk[6]]


def bundle_outcome(bundle: Bundle) -> dict[str, Any]:
    """Write what is in a bundle as the vectors do."""
    label = bundle.label

    def plain(value: object) -> object:
        return value.hex() if isinstance(value, bytes) else None if value is None else str(value)

    names = ("commons", "maker", "made_ms", "audience", "basis_ms")
    return {
        "label": label and dict(zip(names, map(plain, label[1:]), strict=True)),
        "label_signed": bundle.label_signed,
        "records": [record.id.hex() for record in bundle.records],
        "heads": bundle.heads,
        "forms": [
            {
                "checkpoint": sum_.id.hex(),
                "first": str(first),
                "records": [record.id.hex() for record in records],
                "proved": proved,
            }
            for sum_, first, records, proved in bundle.parts
        ],
        "evidence": [
            {"place": str(at), "last": last, "records": [record.id.hex() for record in records]}
            for at, last, records in bundle.evidence
        ],
        "damaged": bundle.damaged,
        "chunks": len(bundle.own),
        "signed": bundle.signed,
        "repeated": bundle.repeated,
        "others": bundle.others,
        "ignored": bundle.ignored,
        "refused": bundle.refused,
        "whole": len(bundle.own) == bundle.total and not bundle.damaged,
    }
