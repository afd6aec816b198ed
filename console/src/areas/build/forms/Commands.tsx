import { Switch, TagsInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { FlowNode } from "../../../flow/document.ts";
import { commanded } from "../../../flow/edit.ts";
import { useEditor } from "../editor/state.tsx";

/** The words that lead to a node from wherever the flow waits. */
export function Commands({ node }: { node: FlowNode }) {
  const { t } = useTranslation("build");
  const { document, edit } = useEditor();
  const known = document.commands?.find(({ next_node_id }) => next_node_id === node.id);
  const words = known?.words ?? [];
  const change = (next: { words: string[]; returns?: boolean }) =>
    edit((before) => commanded(before, node.id, next), `${node.id}.commands`);
  return (
    <>
      <TagsInput
        label={t("form.commandWords")}
        description={t("form.commandAbout")}
        value={words}
        onChange={(next) => change({ words: next, returns: known?.returns ?? false })}
      />
      {words.length > 0 && (
        <Switch
          label={t("form.commandReturns")}
          checked={known?.returns ?? false}
          onChange={(event) => change({ words, returns: event.currentTarget.checked })}
        />
      )}
    </>
  );
}
