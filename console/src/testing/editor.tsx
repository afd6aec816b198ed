import { ReactFlowProvider } from "@xyflow/react";
import { act } from "@testing-library/react";
import { useMemo, useSyncExternalStore, type ReactNode } from "react";
import { byNode, EditorProvider, useEditor, type Editor } from "../areas/build/editor/state.tsx";
import type { Finding, Inspection } from "../areas/build/queries.ts";
import type { FlowDocument } from "../flow/document.ts";
import { begun, changed, undone, type History } from "../flow/history.ts";
import { show } from "./render.tsx";

type Known = Partial<Inspection["completion"]["variables"][number]> & { name: string };

/** What the prover says, with these findings and variables. */
export function inspection(findings: Partial<Finding>[] = [], variables: Known[] = []): Inspection {
  const problems = findings.map((finding) => ({
    code: "missing_field",
    severity: "error",
    message: "",
    flow_id: null,
    node_id: null,
    field: null,
    fix: null,
    ...finding,
  }));
  const known = variables.map((variable) => ({
    kinds: ["text" as const],
    values: null,
    minimum: null,
    maximum: null,
    longest: null,
    description: "",
    assigned_by: [],
    ...variable,
  }));
  return { publishable: !problems.length, problems, completion: { variables: known, nodes: [] } };
}

/** Show a part of the editor with a document that it can change. */
export function showInEditor(
  opened: FlowDocument,
  part: (editor: Editor) => ReactNode,
  { found = inspection(), selected = [] as readonly string[] } = {},
) {
  let history: History = begun(opened);
  let redraw: () => void = () => undefined;
  let chosen = selected;
  const put = (next: History) => {
    history = next;
    redraw();
  };
  const subscribe = (listener: () => void) => {
    redraw = listener;
    return () => undefined;
  };
  const fixed: Omit<Editor, "document" | "selected"> = {
    inspection: found,
    findings: byNode(found, opened.id),
    lit: new Set(),
    marks: new Map(),
    edit: (change, group) => put(changed(history, change(history.document), group)),
    select: (ids) => void (chosen = typeof ids === "function" ? ids(chosen) : ids),
    light: () => undefined,
    mark: () => undefined,
  };
  function Held() {
    const held = useSyncExternalStore(subscribe, () => history);
    const editor = useMemo<Editor>(() => ({ ...fixed, document: held.document, selected: chosen }), [held]);
    return (
      <ReactFlowProvider>
        <EditorProvider value={editor}>
          <Part part={part} />
        </EditorProvider>
      </ReactFlowProvider>
    );
  }
  const shown = show([{ index: true, element: <Held /> }]);
  return {
    ...shown,
    document: () => history.document,
    undo: () => act(() => put(undone(history))),
    chosen: () => chosen,
  };
}

function Part({ part }: { part: (editor: Editor) => ReactNode }) {
  return part(useEditor());
}
