from msgspec import Struct

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.limits import RANDOM_PATHS
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type


class RandomPath(Struct, kw_only=True, forbid_unknown_fields=True):
    """A path. The probability that it is taken is its weight divided by the sum of all weights."""

    id: str
    next_node_id: str | None = None
    weight: float = 1


@node_type("random")
class Random(NodeData):
    """Takes one of several paths at random.

    `sticky`: the same contact always takes the same path at this node. Otherwise each visit is drawn independently. The draw is
    a hash of the contact (or of the turn's seed), so that a turn can be replayed.
    """

    paths: list[RandomPath]
    sticky: bool = True

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the weights and the targets."""
        from hashlib import sha256

        if not self.paths:
            build.problem("missing_field", "paths", "There is no path. Add at least one.")
        if len(self.paths) > RANDOM_PATHS:
            build.problem("too_many", "paths", f"A random node has at most {RANDOM_PATHS} paths. Remove some.")
        if any(path.weight < 0 for path in self.paths) or (self.paths and not sum(path.weight for path in self.paths)):
            build.problem("invalid_value", "paths", "Weights must not be negative, and not all zero. Correct them.")
        if len({path.id for path in self.paths}) < len(self.paths):
            build.problem("duplicate_value", "paths", "Two paths have the same id. Give each path its own id.")
        choices = [
            (path.weight, build.step(f"path:{path.id}"), target)
            for index, path in enumerate(self.paths)
            if (
                target := build.target(
                    path.next_node_id, f"paths[{index}].next_node_id", f"path:{path.id}", possible=path.weight > 0
                )
            )
            and path.weight > 0
        ]
        total = sum(weight for weight, _, _ in choices)
        salt, sticky = f"{build.flow_id}\n{build.node_id}", self.sticky

        def enter(run: Execution) -> CompiledNode | None:
            source = run.contact.id if sticky else f"{run.context.seed}\n{len(run.path)}"
            drawn = int.from_bytes(sha256(f"{source}\n{salt}".encode(errors="replace")).digest()[:8], "big") / 2**64
            point = drawn * total
            for weight, step, target in choices:  # noqa: B007 - the last path also covers rounding errors
                point -= weight
                if point < 0:
                    break
            run.path.append(step)
            return target

        return NodeHandlers(enter)
