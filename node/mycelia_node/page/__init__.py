"""What all pages that Mycelia writes have in common: their style, and helpers to write HTML.

A page is one file that asks nothing of any network. `base.css` has colours and letters, dark and
light, `parts.css` the heading, tables and figures, `print.css` what is different on paper.
"""

from importlib import resources
from typing import Final

PARTS: Final = ("base.css", "parts.css")
PAPER: Final = "print.css"


def asset(package: str, name: str) -> str:
    """Return a file of the folder `assets` of a package."""
    return (resources.files(package) / "assets" / name).read_text("utf-8")


def style(*own: str) -> str:
    """Return the style of a page: what is common, then its own parts, then what paper needs."""
    common = [asset(__name__, name) for name in PARTS]
    return "\n".join([*common, *own, asset(__name__, PAPER)])
