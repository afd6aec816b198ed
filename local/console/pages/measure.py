"""Measure: the reports of a flow as charts, tables and a drawing; transcripts; SQL on the lake."""

from local.console.gauges import Gauges
from local.console.visit import Visit


async def show(visit: Visit) -> None:
    """Build the page."""
    await Gauges(visit).run()
