import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
import { inspection, showInEditor } from "../../../testing/editor.tsx";
import { expectAccessible, signInAs, words } from "../../../testing/render.tsx";
import { NodeForm } from "../forms/NodeForm.tsx";

const FLOW: FlowDocument = {
  format: 1,
  id: "clinic",
  nodes: [
    {
      id: "menu",
      type: "message",
      data: { text: "Hi {{name", buttons: [{ label: "Schedule an appointment" }] },
    },
    { id: "lost", type: "end", data: {} },
  ],
};
const guard = { op: "test", path: "/nodes/0/id", value: "menu" } as const;
const FINDINGS = inspection([
  {
    code: "too_long",
    node_id: "menu",
    field: "buttons[0].label",
    fix: {
      action: "shorten",
      value: "Schedule an",
      patch: [guard, { op: "replace", path: "/nodes/0/data/buttons/0/label", value: "Schedule an" }],
    },
  },
  {
    code: "unclosed_template",
    severity: "warning",
    node_id: "menu",
    field: "text",
    fix: {
      action: "use_text",
      value: "Hi {{name}}",
      patch: [
        guard,
        { op: "test", path: "/nodes/0/data/text", value: "Hi {{name" },
        { op: "replace", path: "/nodes/0/data/text", value: "Hi {{name}}" },
      ],
    },
  },
  {
    code: "nothing_said",
    node_id: "menu",
    field: "text",
    fix: { action: "newer", value: null, patch: [guard] },
  },
]);

beforeEach(async () => {
  await words("pt", "build", "findings", "files");
  signInAs("builder");
});

function open(document = FLOW) {
  return showInEditor(document, ({ document: shown }) => <NodeForm node={shown.nodes[0]!} />, {
    found: FINDINGS,
  });
}

test("a finding's fix is a button beside it, with the keyboard, and one step to undo", async () => {
  const { document, undo, container } = open();
  await expectAccessible(container);
  screen.getByRole("button", { name: "Encurtar para “Schedule an”" }).focus();
  await userEvent.keyboard("{Enter}");
  expect(document().nodes[0]!.data["buttons"]).toEqual([{ label: "Schedule an" }]);
  expect(document().nodes[1]).toBe(FLOW.nodes[1]);
  undo();
  expect(document()).toBe(FLOW);
});

test("the fix of a field is below the field, and one that the console does not know is not offered", async () => {
  const { document } = open();
  await userEvent.click(screen.getByRole("button", { name: "Mudar para “Hi {{name}}”" }));
  expect(screen.getByRole("textbox", { name: "Texto" })).toHaveValue("Hi {{name}}");
  expect(document().nodes[0]!.data["text"]).toBe("Hi {{name}}");
  expect(screen.queryByRole("button", { name: /newer/ })).toBeNull();
});

test("a fix for a document that has changed since does nothing", async () => {
  const [menu, lost] = FLOW.nodes;
  const { document } = open({ ...FLOW, nodes: [{ ...menu!, data: { text: "Other" } }, lost!] });
  const before = document();
  await userEvent.click(screen.getByRole("button", { name: "Mudar para “Hi {{name}}”" }));
  expect(document()).toBe(before);
});
