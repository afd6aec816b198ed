import { createContext, useContext } from "react";
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
  select: (ids: readonly string[]) => void;
  light: (lit: ReadonlySet<string>) => void;
  mark: (marks: ReadonlyMap<string, Mark>) => void;
}

const Context = createContext<Editor | undefined>(undefined);

export const EditorProvider = Context.Provider;

/** The editor around this part. */
export function useEditor(): Editor {
  const editor = useContext(Context);
  if (!editor) throw new Error("outside of an editor");
  return editor;
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
