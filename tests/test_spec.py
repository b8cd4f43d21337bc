"""The specification says what the code does: limits, registries, requirements, real bytes."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from mycelia_protocol import bundle, close_codes, encoding, limits, messages
from mycelia_protocol.sharing.categories import CATEGORIES, Category
from mycelia_protocol.types import KINDS

ROOT = Path(__file__).parents[1]
SPEC = (ROOT / "spec.md").read_text(encoding="utf-8")
CORE = sorted((ROOT / "protocol" / "mycelia_protocol").rglob("*.py"))
RAISED = re.compile(r'requirement="([^"]+)"')
VECTORS = sorted((ROOT / "tests" / "vectors").glob("*.json"))

# Bounds of this implementation's own memory and manners, of which no peer can notice anything.
PRIVATE = {
    "ACKNOWLEDGE_WITHIN_MS",
    "PUBLISH_QUEUE_MAX",
    "INVITES_MAX",
    "PEER_HEADS_MAX",
    "STRANGER_HEADS_MAX",
    "STORE_PAUSE_MS",
    "PROGRESS_RECORDS_MIN",
    "PROGRESS_INTERVAL_MS",
    "STAGES_KEPT_MS",
    "LATE_MIN_MS",
    "LOCAL_HEALTH_MAX",
    "STEWARD_DELAY_MS",
    "TURN_MAX_MS",
    "STEWARD_DRAFTS_MAX",
    "ACCEPT_WITHIN_MS",
    "LEASE_MARGIN_MS",
    "FORK_DELAY_MAX_MS",
    "UNCONFIRMED_AFTER_MS",
    "AUTHOR_BURST_MAX",
    "AUTHOR_RATE_PER_HOUR",
    "_SMALL_SIZE",
}


def table_of_limits() -> dict[str, int]:
    """Return the names and values of spec section 3."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\d+) \|", SPEC, re.MULTILINE)
    return {name: int(value) for name, value in rows}


def test_every_limit_is_in_the_spec_with_its_value() -> None:
    """Section 3 and limits.py hold the same names and the same values."""
    here = {
        name: value
        for module in (limits, encoding)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, int) and name not in PRIVATE
    }
    assert here == table_of_limits()


def test_every_requirement_that_is_named_is_in_the_spec() -> None:
    """What core, vectors or spec name as a requirement, the spec states, set as code."""
    named = {found for path in CORE for found in RAISED.findall(path.read_text("utf-8"))}
    assert named, "the core names no requirement at all"
    for path in VECTORS:
        cases = json.loads(path.read_text("utf-8")).get("cases", [])
        named |= {requirement for case in cases for requirement in case["req"]}
    misbehaviour = SPEC[SPEC.index("## 11. ") : SPEC.index("## 12. ")]
    named |= set(re.findall(r"\b[A-Z]+-\d+\b", misbehaviour))
    stated = set(re.findall(r"`([A-Z]+-\d+)`", SPEC))
    assert named <= stated, sorted(named - stated)


def test_the_registries_are_the_same() -> None:
    """Frame numbers, close codes and kinds of the spec are those of the code."""
    sessions, bundles = SPEC.split("### 9.4 Frames")[1].split("### 15.2 Payloads")
    frames = dict(re.findall(r"^\| (\d+) \| ([A-Z]+) \|", sessions, re.MULTILINE))
    assert frames == {str(n): cls.__name__.upper() for cls, n in messages.NUMBERS.items()}
    chunks = dict(re.findall(r"^\| (\d) \| ([A-Z]+) \|", bundles, re.MULTILINE))
    assert chunks == {str(getattr(bundle, name)): name for name in chunks.values()}
    assert set(map(str, bundle.KNOWN)) < set(chunks)
    rows = re.findall(r"^\| (40\d\d) \| (\w+)", SPEC, re.MULTILINE)
    codes = {int(code): name for code, name in rows}
    here = {v: k for k, v in vars(close_codes).items() if k.startswith("CLOSE_")}
    assert codes == {code: name.removeprefix("CLOSE_").lower() for code, name in here.items()}
    kinds = SPEC.split("### C.3 Kinds")[1].split("##")[0]
    assert set(re.findall(r"`([a-z]+)`", kinds)) == set(KINDS)
    rows = re.findall(r"^\| ([a-z]+\.[a-z]+) \| (.+) \| (.+) \| (.+) \|$", SPEC, re.MULTILINE)
    listed = [
        Category(code, name, example, tuple(re.findall("`(.+?)`", units)))
        for code, name, example, units in rows
    ]
    assert listed == list(CATEGORIES)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_field_of_a_kind_is_in_its_section(kind: str) -> None:
    """The section of a kind, or the two it builds on, names every field of its table."""
    section = re.split(r"^###", SPEC, flags=re.MULTILINE)
    own = next(part for part in section if re.match(rf" 7\.\d+ {kind} ", part))
    shared = next(part for part in section if part.startswith(" 7.1 "))
    things = SPEC.split("#### 7.1.3")[1].split("### 7.2")[0]
    for field in KINDS[kind].fields:
        assert f"`{field.name}`" in own + shared + things, field.name
    assert f"({KINDS[kind].refs} ref" in own


def test_the_walk_through_is_fresh() -> None:
    """The bytes of section 1.1 are what the code makes today."""
    module = load(ROOT / "tests" / "vectors" / "walkthrough.py")
    assert module.with_block(SPEC) == SPEC, "run `make vectors`"


def load(path: Path) -> ModuleType:
    """Import a file that is no package."""
    description = importlib.util.spec_from_file_location(path.stem, path)
    assert description is not None
    assert description.loader is not None
    module = importlib.util.module_from_spec(description)
    description.loader.exec_module(module)
    return module
