from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.node_build import NodeBuild
from pytake.engine.opening_times import OpeningTimes, problems_of
from pytake.engine.registry import NodeData, node_type
from pytake.engine.timetable import Hours, Timetable


class InlineHours(Hours, kw_only=True, forbid_unknown_fields=True):
    """Hours in a flow document."""


@node_type("schedule")
class Schedule(NodeData):
    """Asks whether it is open now: the path continues at `open_next_node_id` or at `closed_next_node_id`.

    `hours` is the name of a timetable of the organization (`PUT /api/v1/timetables`), or the hours themselves. Then `timezone`
    (the organization's when left out) and `holidays` belong to them. A timetable that the organization does not have is closed.
    """

    hours: str | list[InlineHours]
    timezone: str | None = None
    holidays: list[str] | None = None
    open_next_node_id: str | None = None
    closed_next_node_id: str | None = None

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the hours and both exits."""
        open_node = build.target(self.open_next_node_id, "open_next_node_id", "open")
        closed_node = build.target(self.closed_next_node_id, "closed_next_node_id", "closed")
        open_step, closed_step, node_id = build.step("open"), build.step("closed"), build.node_id
        hours = self.hours
        if isinstance(hours, str):
            for name in ("timezone", "holidays"):
                if getattr(self, name) is not None:
                    message = f"The timetable `{hours}` has its own `{name}`. Remove this one."
                    build.problem("conflicting_fields", name, message)
            name = hours
            build.timetable(name)

            def named(run: Execution) -> CompiledNode | None:
                timetable = run.context.timetables.get(name)
                if timetable is None:
                    run.emit("timetable_missing", node_id=node_id, name=name)
                is_open = timetable is not None and OpeningTimes(timetable).is_open(
                    run.context.now, run.context.timezone
                )
                run.path.append(open_step if is_open else closed_step)
                return open_node if is_open else closed_node

            return NodeHandlers(named)
        timetable = Timetable(hours=[*hours], timezone=self.timezone, holidays=self.holidays or [])
        wrong = list(problems_of(timetable))
        for field, message in wrong:
            build.problem("invalid_value", field, message)
        times = OpeningTimes(timetable if not wrong else Timetable(hours=[]))

        def enter(run: Execution) -> CompiledNode | None:
            is_open = times.is_open(run.context.now, run.context.timezone)
            run.path.append(open_step if is_open else closed_step)
            return open_node if is_open else closed_node

        return NodeHandlers(enter)
