"""Who is meant: members by name or by key, as people type them."""

from typing import Final

from mycelia_node.errors import RequestError
from mycelia_node.names import id_text, name_of
from mycelia_node.nearest import hint
from mycelia_protocol.state import State

KEY_SIZE_MIN: Final = 8  # characters of a key's text form after the "1", as for records


def find_member(state: State, text: str) -> bytes:
    """Return the key of the member with a name, or with a key that begins so.

    Raises:
        RequestError: nobody, or several.
    """
    text = text.strip()
    roster = state.roster()
    if text.lower().startswith("myc1") and len(text) >= 5 + KEY_SIZE_MIN:
        found = [key for key in roster if id_text("key", key).startswith(text.lower())]
    else:
        found = [key for key in roster if name_of(state, key).casefold() == text.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        keys = ", ".join(id_text("key", key) for key in found)
        raise RequestError(
            f"{len(found)} members are called {text!r}.", f"Name a key: {keys}.", code="unknown-id"
        )
    names = [name_of(state, key) for key in roster]
    raise RequestError(
        f"No member is called {text!r}.", hint(text, names), code="unknown-id", status=404
    )
