"""What an old backup of a virtual disk holds."""

from mycelia_sim.virtual.disk import MemoryStore
from mycelia_sim.virtual.loop import Loop
from support.scribe import village


def test_an_old_backup_ends_where_a_group_ended() -> None:
    """It never holds a part of what was written together: one signature may prove all of that."""
    _, (scribe,) = village(1)
    records = [scribe.request(1) for _ in range(5)]
    written = tuple(scribe.written)
    loop = Loop()
    store = MemoryStore(loop, 10, 10)
    for number, (first, end) in enumerate(((0, 1), (1, 4), (4, 6))):
        store.submit(number, written[first:end])
        loop.run_until(loop.now_us + 20)
    assert set(store.roll_back(1)) == set(records[3:])
    assert set(store.roll_back(2)) == set(records[:3])
    assert [record.kind for record in store.records()] == ["incarnation"]
    assert len(store.roll_back(9)) == 1
