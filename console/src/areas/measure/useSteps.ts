import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { exitsOf, gist, type FlowDocument, type FlowNode, type Word } from "../../flow/document.ts";
import { useWord } from "../../flow/useWord.ts";
import { loadWords } from "../../i18n/words.ts";
import { documentQuery } from "./queries.ts";

/** What a step is called: its name, what it says, or its id. */
export function stepName(node: FlowNode, word: Word): string {
  return node.label || gist(node, word) || node.id;
}

interface Steps {
  /** What the step of an id is called. */
  nameOf: (id: string) => string;
  /** How far from the start it comes, for sorting. */
  placeOf: (id: string) => number;
}

/** The steps of a flow. Until its document is read they have their ids. */
export function useSteps(flow: string): Steps {
  const word = useWord();
  const document = useQuery(documentQuery(flow));
  const words = useQuery({
    queryKey: ["words-of-steps"],
    queryFn: () => loadWords("build").then(() => true),
    staleTime: Infinity,
  });
  return useMemo(() => {
    const known = document.data && words.data ? document.data : undefined;
    const names = new Map(known?.nodes.map((node) => [node.id, stepName(node, word)]));
    const order = known ? fromTheStart(known) : [];
    const places = new Map(order.map((id, place) => [id, place]));
    return {
      nameOf: (id) => names.get(id) ?? id,
      placeOf: (id) => places.get(id) ?? order.length,
    };
  }, [document.data, words.data, word]);
}

/** The ids of the nodes that the start leads to, the near ones first. */
function fromTheStart({ nodes, start_node_id: start }: FlowDocument): string[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const found = new Set([start ?? nodes[0]?.id ?? ""]);
  for (const id of found)
    // grows while it is read
    for (const { target } of byId.has(id) ? exitsOf(byId.get(id)!) : []) if (target) found.add(target);
  return [...found];
}
