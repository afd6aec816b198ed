import { useReactFlow, type Node, type NodeProps } from "@xyflow/react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { withComment } from "../../../flow/comments.ts";
import type { FlowComment } from "../../../flow/document.ts";
import { useActions } from "../editor/state.tsx";

export type Comment = Node<{ comment: FlowComment }, "comment">;

/** A note of the builders on the canvas. People who write to the bot never see it. */
export const CommentNode = memo(function CommentNode({
  id,
  data: { comment },
  selected,
}: NodeProps<Comment>) {
  const { t } = useTranslation("build");
  const { edit } = useActions();
  const flow = useReactFlow();
  return (
    <div className={`build-comment ${selected ? "is-selected" : ""}`}>
      <textarea
        className="nodrag nowheel"
        aria-label={t("comment.name")}
        placeholder={t("comment.hint")}
        value={comment.text}
        rows={Math.min(
          12,
          Math.max(2, comment.text.split("\n").length + Math.floor(comment.text.length / 28)),
        )}
        onChange={(event) => {
          const text = event.currentTarget.value;
          edit((before) => withComment(before, id, (one) => ({ ...one, text })), id);
        }}
      />
      <button
        type="button"
        className="nodrag"
        aria-label={t("comment.remove")}
        onClick={() => void flow.deleteElements({ nodes: [{ id }] })}
      >
        ×
      </button>
    </div>
  );
});
