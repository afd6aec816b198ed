import "./editor.css";
import { Skeleton } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ReactFlowProvider, useReactFlow } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useParams, useSearchParams } from "react-router";
import type { FlowDocument, FlowNode } from "../../../flow/document.ts";
import { drawnId, withComment, withNewComment } from "../../../flow/comments.ts";
import { copied, pasted } from "../../../flow/copies.ts";
import { placed, removed } from "../../../flow/edit.ts";
import { laidOut, type Positions } from "../../../flow/layout.ts";
import { Page } from "../../../ui/Page.tsx";
import { Problem } from "../../../ui/Problem.tsx";
import { Canvas, NO_POSITIONS } from "../canvas/Canvas.tsx";
import { useReveal } from "../canvas/useReveal.ts";
import { Palette } from "../canvas/Palette.tsx";
import { draftQuery } from "../queries.ts";
import { keepCopies, keptCopies } from "./clipboard.ts";
import { dropDraft } from "./keptDraft.ts";
import {
  Conflict,
  Differences,
  FlowSettings,
  JsonView,
  Languages,
  NodeForm,
  PublishDialog,
  Rehearsal,
  Search,
  TestsPanel,
  Versions,
} from "./panels.tsx";
import { byNode, EditorProvider, type Editor as EditorState, type Panel } from "./state.tsx";
import { Toolbar, type DialogName } from "./Toolbar.tsx";
import { useDraft, useInspection } from "./useDraft.ts";
import { useShortcuts } from "./useShortcuts.ts";

/** The page of one flow. */
export function Editor() {
  const { t } = useTranslation("build");
  const { flowId = "" } = useParams();
  const draft = useQuery(draftQuery(flowId));
  if (draft.isError) {
    return (
      <Page title={t("flows.title")}>
        <Problem error={draft.error} again={() => void draft.refetch()} />
      </Page>
    );
  }
  if (!draft.data) return <Skeleton height="100%" radius={0} />;
  return (
    <ReactFlowProvider key={`${flowId} ${draft.dataUpdatedAt}`}>
      <Opened opened={draft.data.document} tag={draft.data.tag} />
    </ReactFlowProvider>
  );
}

const NOTHING_LIT: ReadonlySet<string> = new Set();
const NO_MARKS: EditorState["marks"] = new Map();

function Opened({ opened, tag }: { opened: FlowDocument; tag: string }) {
  const { t } = useTranslation("build");
  const client = useQueryClient();
  const flow = useReactFlow();
  const draft = useDraft(opened, tag);
  const { document, edit, state } = draft;
  const { inspection } = useInspection(document);
  const [search] = useSearchParams();
  const [selected, select] = useState<readonly string[]>(() => search.getAll("node"));
  const [panel, setPanel] = useState<Panel>();
  const [dialog, setDialog] = useState<DialogName>();
  const [lit, light] = useState(NOTHING_LIT);
  const [marks, mark] = useState(NO_MARKS);
  const [laid, setLaid] = useState<Positions>(NO_POSITIONS);
  const findings = useMemo(() => byNode(inspection, document.id), [inspection, document.id]);
  const editor = useMemo<EditorState>(
    () => ({ document, selected, inspection, findings, lit, marks, edit, select, light, mark }),
    [document, selected, inspection, findings, lit, marks, edit],
  );
  const node = selected.length === 1 ? document.nodes.find(({ id }) => id === selected[0]) : undefined;
  useReveal(node?.id, panel, laid);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    globalThis.document.title = `${document.name ?? document.id} · PyTake`;
  }, [document.name, document.id]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);

  const latest = useRef(document);
  useEffect(() => void (latest.current = document), [document]);

  const layOut = useCallback(async () => {
    const positions = await laidOut(latest.current);
    edit((before) => placed(before, positions));
  }, [edit]);

  const chosen = () => {
    const copies = copied(document, selected);
    const at = (one: FlowNode) => one.position ?? laid.get(one.id) ?? null;
    return { ...copies, nodes: copies.nodes.map((one) => ({ ...one, position: at(one) })) };
  };
  function paste(copies = keptCopies()) {
    if (!copies) return;
    const [after, ids] = pasted(document, copies);
    edit(() => after);
    select(ids);
  }
  useShortcuts({
    undo: state.undo,
    redo: state.redo,
    save: () => void state.save(),
    search: () => setDialog("search"),
    copy: () => keepCopies(chosen()),
    cut: () => {
      keepCopies(chosen());
      edit((before) =>
        selected.reduce(
          (rest, id) => withComment(rest, id, () => undefined),
          removed(before, new Set(selected)),
        ),
      );
    },
    paste: () => paste(),
    duplicate: () => paste(chosen()),
    selectAll: () =>
      select([...document.nodes.map(({ id }) => id), ...(document.comments ?? []).map(drawnId)]),
  });

  const comment = useCallback(() => {
    const canvas = globalThis.document.querySelector(".build-canvas")!.getBoundingClientRect();
    const middle = { x: canvas.x + canvas.width / 2, y: canvas.y + canvas.height / 3 };
    const [after, id] = withNewComment(latest.current, flow.screenToFlowPosition(middle));
    edit(() => after);
    select([id]);
  }, [edit, flow]);
  const compared = typeof panel === "object" ? panel : undefined;
  const compare = (version: number) => {
    setPanel({ version });
    setDialog(undefined);
  };
  const takeTheirs = () => {
    dropDraft(document.id);
    void client.resetQueries({ queryKey: ["draft", document.id] });
  };
  return (
    <EditorProvider value={editor}>
      <div className="build-editor ready">
        <Toolbar
          heading={heading}
          name={document.name ?? document.id}
          draft={state}
          panel={panel}
          onPanel={setPanel}
          onLayout={layOut}
          onComment={comment}
          onDialog={setDialog}
          problems={inspection?.problems.length ?? 0}
        />
        <Palette hasStart={document.nodes.some(({ type }) => type === "start")} />
        <Canvas laid={laid} onLaid={setLaid} />
        {(panel === "json" || compared || node) && (
          <aside className="build-panel" aria-label={t("panel.name")}>
            {compared ? (
              <Differences version={compared.version} onClose={() => setPanel(undefined)} />
            ) : panel === "json" ? (
              <JsonView />
            ) : (
              node && <NodeForm key={node.id} node={node} />
            )}
          </aside>
        )}
        {panel === "rehearsal" && <Rehearsal />}
        {panel === "tests" && <TestsPanel onRehearse={() => setPanel("rehearsal")} />}
        {dialog === "publish" && (
          <PublishDialog tag={state.saveForTag} onCompare={compare} onClose={() => setDialog(undefined)} />
        )}
        {dialog === "versions" && (
          <Versions flowId={document.id} onCompare={compare} onClose={() => setDialog(undefined)} />
        )}
        {dialog === "languages" && <Languages onClose={() => setDialog(undefined)} />}
        {dialog === "settings" && <FlowSettings onClose={() => setDialog(undefined)} />}
        {dialog === "search" && <Search onClose={() => setDialog(undefined)} />}
        {state.saving === "conflict" && (
          <Conflict document={document} onOverwrite={state.save} onTakeTheirs={takeTheirs} />
        )}
      </div>
    </EditorProvider>
  );
}
