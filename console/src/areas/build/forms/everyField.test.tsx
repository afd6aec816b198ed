import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import schema from "../../../../../docs/flow.schema.json";
import type { Data, NodeType } from "../../../flow/document.ts";
import { showInEditor } from "../../../testing/editor.tsx";
import { answers, signInAs, words } from "../../../testing/render.tsx";
import { NodeForm } from "./NodeForm.tsx";

// Writes every text and number that the schema allows into a node, and looks for each in the fields of its form.

interface Schema {
  type?: string;
  enum?: unknown[];
  const?: string;
  $ref?: string;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
}

const definitions = schema.$defs as unknown as Record<string, Schema>;
const NODES = (schema.properties.nodes.items.oneOf as unknown as Schema[]).map(({ properties }) => ({
  type: (properties!["type"]!.const ?? properties!["type"]!.enum![0]) as NodeType,
  data: properties!["data"]!,
}));

/** Nodes whose fields exclude each other, so that no form shows all of them at once. */
const VARIANTS: Partial<Record<NodeType, number>> = {
  action: 12,
  question: 12,
  condition: 6,
  schedule: 2,
  message: 3,
};

/** What no form has, and why. */
const ELSEWHERE: readonly [RegExp, string][] = [
  [/next_node_id$/, "an exit: it is drawn, and listed under the form with the names of the nodes"],
  [
    /^carousel\.\[\]\.buttons\.\[\]\.(description|section|show_if)/,
    "WhatsApp shows none on a card: the prover refuses it",
  ],
  [/^carousel\.\[\]\.media\.caption$/, "WhatsApp shows none on a card: the prover refuses it"],
  [/(^|\.)media\.(id|filename)$/, "set when a file is chosen"],
];

/** Values of a node: a mark for each text and number, and the path of each mark. */
class Sample {
  readonly marks = new Map<string, string>();

  private readonly variant: number;

  constructor(variant: number) {
    this.variant = variant;
  }

  of(one: Schema, path: string): unknown {
    if (one.$ref) return this.of(definitions[one.$ref.split("/").at(-1)!]!, path);
    const choices = (one.anyOf ?? one.oneOf)?.filter(({ type }) => type !== "null");
    if (choices) return this.of(choices[this.variant % choices.length]!, path);
    if (one.const) return one.const;
    if (one.enum) return one.enum[this.variant % one.enum.length];
    if (one.type === "array") return [this.of(one.items ?? {}, `${path}.[]`)];
    if (one.type === "boolean") return true;
    if (one.type === "number" || one.type === "integer")
      return Number(this.mark(path, String(1000 + this.marks.size)));
    if (/(opens|closes)$/.test(path)) return this.mark(path, path.endsWith("opens") ? "08:15" : "17:45");
    if (one.properties) return this.object(one.properties, path);
    if (one.type === "object") return this.named(one.additionalProperties, path);
    return this.mark(path, `mark${this.marks.size}`);
  }

  private object(properties: Record<string, Schema>, path: string): Data {
    const own = Object.entries(properties).map(([name, field]): [string, unknown] => {
      const at = path ? `${path}.${name}` : name;
      if (at === "components") return [name, this.components(at)];
      if (path.endsWith("carousel.[]") && !this.isOnCard(name)) return [name, undefined];
      if (path === "" && name === "branches" && this.variant < 2) return [name, undefined];
      if (path === "branches.[]" && name === (this.variant < 4 ? "any" : "all")) return [name, undefined];
      if (name === "operator") return [name, this.variant % 2 ? "has_words" : "=="];
      return [name, this.of(field, at)];
    });
    return Object.fromEntries(own.filter(([, value]) => value !== undefined));
  }

  private isOnCard(name: string): boolean {
    const kinds = ["cta_url", "buttons", "product"];
    return kinds.includes(name) ? kinds[this.variant % 3] === name : this.variant % 3 !== 2;
  }

  private named(values: Schema | boolean | undefined, path: string): Data {
    const any = typeof values !== "object" || !Object.keys(values).length;
    if (!any)
      return { [this.mark(`${path}.name`, `name${this.marks.size}`)]: this.of(values, `${path}.value`) };
    const inner = [
      this.mark(`${path}.item`, `item${this.marks.size}`),
      { deep: this.mark(`${path}.deep`, `deep${this.marks.size}`) },
    ];
    return { [this.mark(`${path}.name`, `name${this.marks.size}`)]: inner };
  }

  private components(path: string): Data[] {
    const parameter = (name: string) => ({
      type: "text",
      text: this.mark(`${path}.[].${name}`, `mark${this.marks.size}`),
    });
    return [
      { type: "header", parameters: [parameter("header")] },
      { type: "body", parameters: [parameter("body"), parameter("second")] },
      { type: "button", sub_type: "url", index: "0", parameters: [parameter("button")] },
    ];
  }

  private mark(path: string, value: string): string {
    this.marks.set(value, path);
    return value;
  }
}

beforeEach(() => {
  signInAs("builder");
  vi.stubGlobal("fetch", answers({ "GET /api/v1/templates": [], "GET /api/v1/flows": [] }).fetch);
  return words("pt", "build", "findings");
});

/** Wait until the parts that few nodes have are shown, and the parts within them. */
async function settled(): Promise<void> {
  await waitFor(() => expect(document.querySelector("[aria-busy]")).toBeNull());
}

async function shownBy(type: NodeType, data: Data): Promise<string[]> {
  const flow = { format: 1 as const, id: "f", nodes: [{ id: "n", type, data }] };
  const { unmount } = showInEditor(flow, ({ document }) => <NodeForm node={document.nodes[0]!} />);
  await userEvent.click(await screen.findByRole("button", { name: "Mais opções" }));
  await settled();
  if (type === "template") await screen.findByText(/é informado pelo nome/);
  const fields = [...document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("input, textarea")];
  const tags = [...document.querySelectorAll(".mantine-Pill-label")].map((tag) => tag.textContent);
  const values = [...fields.map(({ value }) => value), ...tags];
  unmount();
  return values;
}

test.each(NODES)(
  "the form of $type shows every value of the schema, and none as JSON",
  async ({ type, data }) => {
    const missing = new Set<string>();
    const found = new Set<string>();
    for (let variant = 0; variant < (VARIANTS[type] ?? 1); variant++) {
      const sample = new Sample(variant);
      // oxlint-disable-next-line no-await-in-loop -- one form after the other
      const values = await shownBy(type, sample.of(data, "") as Data);
      expect(values.filter((value) => /^\s*[{[]["{[]/.test(value))).toEqual([]);
      for (const [mark, path] of sample.marks) (values.includes(mark) ? found : missing).add(path);
    }
    const nowhere = [...missing].filter((path) => !found.has(path));
    expect(nowhere.filter((path) => !ELSEWHERE.some(([pattern]) => pattern.test(path)))).toEqual([]);
  },
);
