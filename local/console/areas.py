"""The areas of the console and the module that shows each.

A page is one module of `local.console.pages` with `async def show(visit)`: it builds what it shows below `visit`'s frame
and may raise `ApiProblem` at any moment; the frame then says what to do. Texts come from `local.console.words`.
"""

from dataclasses import dataclass
from typing import Literal

Key = Literal["try", "build", "watch", "measure"]


@dataclass(frozen=True)
class Area:
    """One area: where it is, how it is called in `words` (`area.KEY`), its icon and its page's module."""

    key: Key
    path: str
    icon: str
    module: str


AREAS = (
    Area("try", "/", "chat", "local.console.pages.trying"),
    Area("build", "/build", "account_tree", "local.console.pages.build"),
    Area("watch", "/watch", "forum", "local.console.pages.watch"),
    Area("measure", "/measure", "insights", "local.console.pages.measure"),
)
