import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
import { showInEditor } from "../../../testing/editor.tsx";
import { signInAs, words } from "../../../testing/render.tsx";
import { Palette } from "../canvas/Palette.tsx";
import type { FieldProps } from "./TextPart.tsx";
import { NodeForm } from "./NodeForm.tsx";

const drawn = vi.hoisted(() => {
  vi.resetModules(); // test files share their modules, and these are to have the parts below
  return { fields: [] as string[], icons: [] as string[] };
});

vi.mock("./FieldPart.tsx", async (original) => {
  const { FieldPart } = await original<typeof import("./FieldPart.tsx")>();
  return {
    FieldPart: (props: FieldProps) => {
      drawn.fields.push(props.field.name);
      return <FieldPart {...props} />;
    },
  };
});
vi.mock("../canvas/TypeIcon.tsx", () => ({
  TypeIcon: ({ type }: { type: string }) => {
    drawn.icons.push(type);
    return null;
  },
  PALETTE: [["talk", ["delay"]]],
}));

const FLOW: FlowDocument = {
  format: 1,
  id: "f",
  nodes: [
    { id: "hello", type: "message", data: { text: "Oi", next_node_id: "bye" } },
    { id: "bye", type: "end", label: "Tchau", data: {} },
    { id: "other", type: "end", data: {} },
  ],
};

beforeEach(async () => {
  await words("pt", "build", "files");
  signInAs("builder");
});
afterAll(() => vi.resetModules());

function open() {
  return showInEditor(FLOW, ({ document }) => (
    <>
      <Palette hasStart={false} />
      <NodeForm node={document.nodes[0]!} />
    </>
  ));
}

test("a key draws its field again, and neither the other fields nor the palette", async () => {
  const { document } = open();
  await userEvent.click(screen.getByRole("textbox", { name: "Texto" }));
  expect(drawn.fields).toContain("buttons");
  expect(drawn.icons).toContain("delay");
  drawn.fields = [];
  drawn.icons = [];
  await userEvent.keyboard("!");
  expect(document().nodes[0]!.data["text"]).toBe("Oi!");
  expect(drawn.fields).toEqual(["text"]);
  expect(drawn.icons).not.toContain("delay");
});

test("the nodes of the flow are listed only for the exit that has the focus", async () => {
  const { document } = open();
  const names = () =>
    screen
      .queryAllByRole("option", { hidden: true })
      .map((one) => one.textContent)
      .filter((name) => name.includes(" · "));
  const next = screen.getByRole("combobox", { name: "depois" });
  expect(next).toHaveValue("Tchau · bye");
  expect(names()).toEqual(["Tchau · bye"]);
  await userEvent.click(next);
  expect(names()).toEqual(["Tchau · bye", "Fim · other"]);
  await userEvent.click(screen.getByRole("option", { name: "Fim · other" }));
  expect(document().nodes[0]!.data["next_node_id"]).toBe("other");
  expect(next).toHaveValue("Fim · other");
  await userEvent.tab();
  expect(names()).toEqual(["Fim · other"]);
});
