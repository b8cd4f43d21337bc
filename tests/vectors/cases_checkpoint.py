"""Vectors of section 6.8 and 7.24: compact forms, sums of logs, and what follows from either."""

from mycelia_protocol.compact import compact
from mycelia_protocol.confirming import Witnesses
from mycelia_protocol.crypto import LEAF, digest
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.merkle import Tree, prove, proved_root
from mycelia_protocol.record import Record
from vectors import scenes_escrow, scenes_forks, scenes_promises
from vectors.bodies import GOOD
from vectors.cases_identity import CHARTER
from vectors.cases_state import outcome
from vectors.chains import Writer
from vectors.suite import Json, Suite, derived, hex_or_none

NOTES = {
    "Form": "What stays of a record.",
    "Settled": "Of decisions and views nothing stays but that they were there.",
    "Malformed": "A decision that is none keeps its facts, so that all see that it is none.",
    "Erased": "Words make no difference.",
    "Tree": "How many leaves there are decides on the shape.",
    "Lie": "A checkpoint that says something else than the records before it.",
    "State": "Compact forms lead to the same state as the records.",
    "Format": "No compact form.",
    "Proof": "Some leaves with the roots beside them.",
    "Branch": "Who says that a checkpoint is right is counted by branches, not by keys.",
}
SCENES = (*scenes_promises.SCENES[:6], *scenes_escrow.SCENES[:8], *scenes_forks.SCENES[:4])


def build() -> Suite:
    """Return the suite."""
    suite = Suite("checkpoint", NOTES)
    _add_forms(suite)
    _add_sums(suite)
    _add_logs(suite)
    _add_states(suite)
    _add_broken(suite)
    _add_proofs(suite)
    _add_confirmed(suite)
    return suite


def _hexes(record: Record) -> Json:
    return [hex_or_none(part) for part in record.envelope()]


def _form(suite: Suite, comment: str, record: Record, flag: str) -> None:
    inputs: dict[str, Json] = {"op": "form", "envelope": _hexes(record)}
    suite.valid(comment, "FORM-1", inputs, {"form": compact(record).hex()}, flag)


def _add_forms(suite: Suite) -> None:
    writer = Writer("mill")
    first = writer.begin()
    offer = writer.write("offer", GOOD["offer"])
    for record in (first, offer):
        _form(suite, f"the {record.kind} of a log", record, "Form")
    _form(suite, "an offer whose words are erased", offer.without_words(), "Erased")
    grant = writer.write("grant", {"quantity": 500}, offer, first)
    _form(suite, "a grant with its references", grant, "Form")
    decision = writer.write("decision", GOOD["decision"], offer)
    _form(suite, "a decision", decision, "Settled")
    broken = {**GOOD["decision"], "total": 999}
    _form(suite, "a malformed decision", writer.write("decision", broken, offer), "Malformed")
    none = writer.write("decision", GOOD["decision"])
    _form(suite, "a decision about nothing", none, "Malformed")
    _form(suite, "a view", writer.write("view", GOOD["view"]), "Settled")
    _form(suite, "a view that is malformed", writer.write("view", {}), "Settled")
    _form(suite, "a record of an unknown kind", writer.write("x-later", {"a": 1}), "Form")


def _add_sums(suite: Suite) -> None:
    tree, leaves = Tree(), list[Json]()
    for number in range(33):
        leaf = derived(f"leaf {number}")
        tree.add(leaf)
        leaves.append(leaf.hex())
        if number < 9 or number in (14, 15, 16, 31, 32):
            inputs: dict[str, Json] = {"op": "sum", "leaves": list(leaves)}
            suite.valid(
                f"{number + 1} leaves", "FORM-1", inputs, {"root": tree.root().hex()}, "Tree"
            )


def _add_logs(suite: Suite) -> None:
    for length in (1, 2, 3, 6):
        writer = Writer("oak")
        writer.begin()
        for number in range(length - 1):
            kind = ("request", "profile", "view")[number % 3]
            writer.write(kind, GOOD[kind])
        tree = Tree()
        for record in writer.records:
            tree.add(compact(record))
        for root, flag in ((tree.root(), "Tree"), (derived("lie"), "Lie")):
            told = Writer("oak", records=list(writer.records))
            told.write("checkpoint", {"root": root})
            inputs: dict[str, Json] = {"op": "log", "envelopes": list(map(_hexes, told.records))}
            steps: dict[str, Json] = {"sum": tree.root().hex(), "right": root == tree.root()}
            suite.valid(f"a checkpoint after {length}", "CHECK-1", inputs, steps, flag)


def _add_states(suite: Suite) -> None:
    for number, scene in enumerate(SCENES):
        records = scene.records()
        short = [each for each in records if (each.seq + number) % 3 or each.seq < number % 5]
        inputs: dict[str, Json] = {
            "op": "state",
            "charter": CHARTER.encode().hex(),
            "records": [_hexes(each) for each in records if each not in short],
            "forms": [
                [each.author.hex(), each.log.hex(), str(each.seq), compact(each).hex()]
                for each in short
            ],
        }
        steps: dict[str, Json] = {"digest": outcome(records)["digest"]}
        suite.valid(scene.comment, "FORM-3", inputs, steps, "State")


def _add_broken(suite: Suite) -> None:
    good: list[Value] = [derived("id"), "offer", 5, [derived("ref")], b"\x80"]
    cases: list[tuple[str, list[Value]]] = [
        ("four fields", good[:4]),
        ("an id of 31 bytes", [derived("id", 31), *good[1:]]),
        ("no kind", [good[0], "Offer", *good[2:]]),
        ("a time before 0", [*good[:2], -1, *good[3:]]),
        ("the same reference twice", [*good[:3], [derived("ref")] * 2, good[4]]),
        ("an offer without its facts", [*good[:4], None]),
        ("facts as a map", [*good[:4], {}]),
    ]
    for comment, form in cases:
        inputs: dict[str, Json] = {"op": "read", "form": encode(form).hex()}
        error = "encoding" if comment == "facts as a map" else "record"
        suite.invalid(comment, "FORM-1", inputs, error, "Format")


def _add_proofs(suite: Suite) -> None:
    for count, first, last in ((1, 0, 1), (2, 1, 2), (5, 0, 5), (7, 2, 5), (8, 4, 8), (33, 32, 33)):
        leaves = [derived(f"leaf {number}") for number in range(count)]
        proof = prove([digest(LEAF, leaf) for leaf in leaves], first, last)
        root = proved_root(count, first, leaves[first:last], proof).hex()
        told: dict[str, Json] = {
            "op": "proof",
            "count": str(count),
            "first": str(first),
            "leaves": [leaf.hex() for leaf in leaves[first:last]],
            "proof": [each.hex() for each in proof],
        }
        comment = f"leaves {first} to {last - 1} of {count}"
        suite.valid(comment, "CHECK-7", told, {"root": root}, "Proof")
        more: list[Json] = [*(each.hex() for each in proof), derived("more").hex()]
        suite.invalid(
            f"{comment}, and a hash more", "CHECK-7", {**told, "proof": more}, "forged", "Proof"
        )
        if proof:
            less: list[Json] = [each.hex() for each in proof[:-1]]
            suite.invalid(
                f"{comment}, a hash less", "CHECK-7", {**told, "proof": less}, "forged", "Proof"
            )


def _add_confirmed(suite: Suite) -> None:
    cases: list[tuple[str, str, str, str]] = [
        # who let in whom (f is the founder), who named the checkpoint, its author, who another one
        ("two members of their own branches", "fa fb fc", "a b", "c"),
        ("two of three", "fa fb fc fd", "a b", "d|c"),
        ("two of four", "fa fb fc fd fe", "a b", "e|c d"),
        ("one member", "fa fb", "a", "b"),
        ("the founder and a member", "fa fb", "f a", "b"),
        ("the founder alone", "fa", "f", "a"),
        ("the author does not count", "fa fb", "a b", "b"),
        ("strangers do not count", "fa fb", "x y", "b"),
        ("two that one member let in", "fa ab ac ad", "b c", "d"),
        ("a member, and whom it let in", "fa ab ac", "a b", "c"),
        ("let in by the author", "fa ab fc", "b c", "a"),
        ("let in by the author, and by who agrees with it", "fa fb ac bc", "b c", "a"),
        ("let in by the author, and by somebody else", "fa fb fd ac dc", "b c", "a"),
        ("let in by two, and so of its own branch", "fa fb ac bc fd", "a c", "d"),
        ("members in a circle", "fa ab bc ca fd", "b c", "d"),
        ("a circle that two lead to", "fa fb ac bd cd dc fe", "c d", "e"),
        ("many keys of one branch against it", "fa fb fc cd ce cg", "a b", "f|c d e g"),
        ("of the founder, by whom it let in", "fa fb", "a b", "f"),
        ("of the founder, by one branch", "fa ab", "a b", "f"),
    ]
    keys = {name: derived(f"member {name}") for name in "abcdefgxy"}
    right, other = derived("right"), derived("other")
    for comment, vouches, named, rest in cases:
        author, _, apart = rest.partition("|")
        told = [*((each, right) for each in named.split()), *((e, other) for e in apart.split())]
        pairs = [(keys[each[0]], keys[each[1]]) for each in vouches.split()]
        said = [(keys[by], [checkpoint]) for by, checkpoint in told]
        is_confirmed = Witnesses(keys["f"], pairs, said).confirm(right, keys[author])
        inputs: dict[str, Json] = {
            "op": "confirm",
            "founder": keys["f"].hex(),
            "vouches": [[by.hex(), key.hex()] for by, key in pairs],
            "acknowledged": [[by.hex(), [checkpoint.hex()]] for by, (checkpoint,) in said],
            "checkpoint": right.hex(),
            "author": keys[author].hex(),
        }
        suite.valid(comment, "CHECK-4", inputs, {"confirmed": is_confirmed}, "Branch")
