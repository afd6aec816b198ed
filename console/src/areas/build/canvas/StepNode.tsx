import { Handle, Position, type Node, type NodeProps } from "@xyflow/react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import type { Mark } from "../../../flow/differences.ts";
import { exitsOf, gist, type Exit, type FlowNode, type NodeType } from "../../../flow/document.ts";
import type { Finding } from "../queries.ts";
import { TypeIcon } from "./TypeIcon.tsx";
import { useExitText } from "./useExitText.ts";
import { useWord } from "../../../flow/useWord.ts";

export type Step = Node<
  { node: FlowNode; findings: Finding[]; start: boolean; lit: boolean; mark?: Mark | undefined },
  "step"
>;

/** They need not say anything. */
const MAY_BE_EMPTY: ReadonlySet<NodeType> = new Set(["start", "end", "handoff"]);

/** A node on the canvas: what it is, what it says, and one handle for each way out. */
export const StepNode = memo(function StepNode({
  data: { node, findings, start, lit, mark },
  selected,
}: NodeProps<Step>) {
  const { t } = useTranslation("build");
  const word = useWord();
  const worst = findings.some(({ severity }) => severity === "error")
    ? "error"
    : findings.length
      ? "warning"
      : undefined;
  const classes = [
    "build-node",
    selected && "is-selected",
    worst && `has-${worst}`,
    lit && "is-lit",
    mark && `is-${mark}`,
  ];
  return (
    <div className={classes.filter(Boolean).join(" ")} data-type={node.type}>
      {node.type !== "start" && <Handle type="target" position={Position.Left} className="build-handle" />}
      <div className="build-node-head">
        <TypeIcon type={node.type} />
        <span className="build-node-name">{node.label || t(`type.${node.type}`)}</span>
        {mark && <span className="build-node-mark">{t(`canvas.${mark}`)}</span>}
        {start && <span className="build-node-start">{t("canvas.start")}</span>}
        {worst && (
          <span
            className={`build-node-findings is-${worst}`}
            title={t("canvas.findings", { count: findings.length })}
          >
            {findings.length}
          </span>
        )}
      </div>
      <div className="build-node-gist">
        {gist(node, word) || (!MAY_BE_EMPTY.has(node.type) && <em>{t("canvas.empty")}</em>)}
      </div>
      {exitsOf(node).map((exit) => (
        <ExitRow key={exit.field} exit={exit} />
      ))}
    </div>
  );
});

function ExitRow({ exit }: { exit: Exit }) {
  const text = useExitText();
  return (
    <div className="build-exit" data-kind={exit.kind}>
      <span className="build-exit-text">{text(exit)}</span>
      <Handle
        type="source"
        id={exit.field}
        position={Position.Right}
        className={`build-handle ${exit.target ? "" : "is-open"}`}
        isConnectableStart
      />
    </div>
  );
}
