import { TextInput, UnstyledButton } from "@mantine/core";
import { useReactFlow } from "@xyflow/react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { gist } from "../../../flow/document.ts";
import { Form } from "../../../ui/Form.tsx";
import { found } from "../../../ui/search.ts";
import { TypeIcon } from "../canvas/TypeIcon.tsx";
import { useWord } from "../../../flow/useWord.ts";
import { useEditor } from "./state.tsx";
import { Dialog } from "../../../ui/Dialog.tsx";

const MOST = 30;

/** Find a node by what it is called or says, and go to it. */
export function Search({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("build");
  const word = useWord();
  const { document, select } = useEditor();
  const flow = useReactFlow();
  const [search, setSearch] = useState("");
  const nodes = found(
    document.nodes,
    search,
    (node) => `${node.id} ${node.label ?? ""} ${t(`type.${node.type}`)} ${gist(node, word)}`,
  ).slice(0, MOST);
  function show(id: string) {
    select([id]);
    void flow.fitView({ nodes: [{ id }], maxZoom: 1, duration: 300 });
    onClose();
  }
  return (
    <Dialog opened onClose={onClose} title={t("toolbar.search")}>
      <Form
        className=""
        onSubmit={() => {
          if (nodes[0]) show(nodes[0].id);
        }}
      >
        <TextInput
          data-autofocus
          aria-label={t("toolbar.search")}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
      </Form>
      <ul className="build-found">
        {nodes.map((node) => (
          <li key={node.id}>
            <UnstyledButton className="build-found-node" onClick={() => show(node.id)}>
              <TypeIcon type={node.type} />
              <span>
                <strong>{node.label || t(`type.${node.type}`)}</strong>{" "}
                <span className="quiet">{gist(node, word).slice(0, 80)}</span>
              </span>
            </UnstyledButton>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
