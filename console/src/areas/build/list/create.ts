import { exitsOf, type FlowDocument } from "../../../flow/document.ts";
import { saveDraft } from "../queries.ts";

// A document is loaded when it is chosen.
const FOLDER = "../../../../../examples/flows/";
const documents = import.meta.glob<FlowDocument>(
  ["../../../../../examples/flows/*.json", "!../../../../../examples/flows/*.test.json"],
  { import: "default" },
);

/** Return an id that no flow has. */
export function freeId(wanted: string, taken: readonly string[]): string {
  const ids = new Set(taken);
  const base = wanted || "flow";
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? "" : `_${number}`;
    const id = `${base.slice(0, 64 - suffix.length)}${suffix}`;
    if (!ids.has(id)) return id;
  }
}

async function withSubFlows(
  id: string,
  found = new Map<string, FlowDocument>(),
): Promise<Map<string, FlowDocument>> {
  const load = documents[`${FOLDER}${id}.json`];
  if (!load || found.has(id)) return found;
  const document = await load();
  found.set(id, document);
  for (const { type, data } of document.nodes) {
    if (type === "jump") await withSubFlows(String(data["target_flow_id"]), found);
  }
  return found;
}

/** Return an example under another id and name, with the sub-flows that it needs and that are not there yet. */
export async function fromExample(
  example: string,
  id: string,
  name: string,
  taken: readonly string[],
): Promise<FlowDocument[]> {
  const found = await withSubFlows(example);
  const main = found.get(example)!;
  const more = [...found.values()].filter(
    (document) => document.id !== example && !taken.includes(document.id),
  );
  return [...more, { ...main, id, name }];
}

/** Save new drafts one after the other. */
export async function createAll(created: readonly FlowDocument[]): Promise<void> {
  for (const document of created) await saveDraft(document, undefined);
}

/** How many ways out of a flow's nodes lead somewhere; what an import shows. */
export function connections({ nodes }: FlowDocument): number {
  return nodes.flatMap(exitsOf).filter(({ target }) => target).length;
}
