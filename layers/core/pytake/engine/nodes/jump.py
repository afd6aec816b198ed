from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type
from pytake.engine.state import Frame


@node_type("jump")
class Jump(NodeData):
    """Enters another flow at `target_node_id`, or at its start.

    With `return_to_parent` the path returns when the sub-flow ends and continues at `next_node_id`. Without it the other flow
    takes over the conversation for good. With `pass_variables` both flows share one set of variables. Without it the sub-flow
    starts with none, and its variables are merged into the parent's when it returns.
    """

    target_flow_id: str
    target_node_id: str | None = None
    pass_variables: bool = True
    return_to_parent: bool = True
    next_node_id: str | None = None

    def jumps_to(self) -> str | None:
        """The id of the flow it enters."""
        return self.target_flow_id

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the jump and the return."""
        returns, shares = self.return_to_parent, self.pass_variables
        target = build.jump(self.target_flow_id, self.target_node_id, returns=returns, shares=shares)
        jump_step, next_step = build.step("jump"), build.step("next", possible=returns)
        shared_frame = Frame(build.flow_id, build.node_id)

        def enter(run: Execution) -> CompiledNode | None:
            run.path.append(jump_step)
            if not returns:
                run.stack.clear()
                if not shares:
                    run.variables = {}
            elif shares:
                run.push(shared_frame)
            else:
                run.push(Frame(shared_frame.flow_id, shared_frame.node_id, run.variables))
                run.variables = {}
            return target

        if not returns:
            if self.next_node_id:
                message = (
                    "This jump never returns, so `next_node_id` has no effect. Remove it, or set `return_to_parent`."
                )
                build.problem("conflicting_fields", "next_node_id", message)
            return NodeHandlers(enter)
        following = build.target(self.next_node_id, "next_node_id")

        def returned(run: Execution) -> CompiledNode | None:
            run.path.append(next_step)
            return following

        return NodeHandlers(enter, returned=returned)
