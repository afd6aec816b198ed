import {
  createContext,
  useContext,
  useLayoutEffect,
  useMemo,
  useRef,
  type Dispatch,
  type ReactNode,
  type SetStateAction,
} from "react";
import type { Mark } from "../../../flow/differences.ts";
import type { FlowDocument, FlowNode } from "../../../flow/document.ts";
import type { Finding, Inspection } from "../queries.ts";

/** What is open at the right of the canvas. */
export type Panel = "rehearsal" | "tests" | "json" | { version: number } | undefined;

/** What the parts of the editor share. */
export interface Editor {
  document: FlowDocument;
  selected: readonly string[];
  inspection: Inspection | undefined;
  findings: ReadonlyMap<string, Finding[]>;
  /** Where the rehearsal went: `node` or `node|field`. */
  lit: ReadonlySet<string>;
  /** How nodes differ from the version that the draft is compared with. */
  marks: ReadonlyMap<string, Mark>;
  /** Change the document; changes of one group are undone together. */
  edit: (change: (document: FlowDocument) => FlowDocument, group?: string) => void;
  select: Dispatch<SetStateAction<readonly string[]>>;
  light: (lit: ReadonlySet<string>) => void;
  mark: (marks: ReadonlyMap<string, Mark>) => void;
}

/** What can be done in the editor. It is the same object for as long as the flow is open. */
export interface Actions extends Pick<Editor, "edit" | "select" | "light" | "mark"> {
  /** What the editor shows now, for what a person does, not for what is drawn. */
  latest: () => Editor;
}

const Whole = createContext<Editor | undefined>(undefined);
const Inspected = createContext<Pick<Editor, "inspection" | "findings"> | undefined>(undefined);
const Doing = createContext<Actions | undefined>(undefined);

/** The editor for the parts inside. */
export function EditorProvider({ value, children }: { value: Editor; children: ReactNode }) {
  const { edit, select, light, mark, inspection, findings } = value;
  const shown = useRef(value);
  useLayoutEffect(() => void (shown.current = value));
  const actions = useMemo<Actions>(
    () => ({ edit, select, light, mark, latest: () => shown.current }),
    [edit, select, light, mark],
  );
  const inspected = useMemo(() => ({ inspection, findings }), [inspection, findings]);
  return (
    <Doing value={actions}>
      <Inspected value={inspected}>
        <Whole value={value}>{children}</Whole>
      </Inspected>
    </Doing>
  );
}

function within<Part>(part: Part | undefined): Part {
  if (!part) throw new Error("outside of an editor");
  return part;
}

/** The editor around this part, which is drawn again for each key in the flow. */
export function useEditor(): Editor {
  return within(useContext(Whole));
}

/** What the prover says of the flow; this part is drawn again when it has said something new. */
export function useInspected(): Pick<Editor, "inspection" | "findings"> {
  return within(useContext(Inspected));
}

/** What can be done in the editor; this part is not drawn again for changes of the flow. */
export function useActions(): Actions {
  return within(useContext(Doing));
}

const NONE: Finding[] = [];

/** Return the findings of a node. */
export function findingsOf(findings: ReadonlyMap<string, Finding[]>, node: FlowNode): Finding[] {
  return findings.get(node.id) ?? NONE;
}

/** Group the findings of a flow by node; those of the flow itself are under an empty id. */
export function byNode(inspection: Inspection | undefined, flowId: string): Map<string, Finding[]> {
  const found = new Map<string, Finding[]>();
  for (const finding of inspection?.problems ?? []) {
    if (finding.flow_id && finding.flow_id !== flowId) continue;
    const key = finding.node_id ?? "";
    found.set(key, [...(found.get(key) ?? []), finding]);
  }
  return found;
}
