"""Build: a flow as text and as a drawing, what is wrong with it, the phone to try it on, versions."""

from local.console.visit import Visit
from local.console.workbench import Workbench


async def show(visit: Visit) -> None:
    """Build the page."""
    await Workbench(visit).run()
