"""The page of this area."""

from local.console.areas import AREAS
from local.console.frame import empty
from local.console.visit import Visit


async def show(visit: Visit) -> None:
    """Say that there is nothing here yet."""
    area = next(one for one in AREAS if one.module == __name__)
    empty(area.icon, visit.words(f"area.{area.key}"), visit.words("frame.soon"))
