import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { beforeEach, expect, test, vi } from "vitest";
import { answers, expectAccessible, show, signInAs, words } from "../../testing/render.tsx";
import { FileField, type ChosenFile, type FileFieldProps } from "./FileField.tsx";

const MENU = {
  id: "file-1",
  mime_type: "image/png",
  size: 2_500,
  filename: "cardápio.png",
  created_at: "2026-11-01T00:00:00Z",
  expires_at: null,
};
const TOUR = { ...MENU, id: "file-2", mime_type: "video/mp4", filename: "visita.mp4" };
const LINK = {
  url: "https://bucket.example/file-1",
  mime_type: "image/png",
  size: 2_500,
  filename: "cardápio.png",
};
const PICTURE = new File(["picture"], "cardápio.png", { type: "image/png" });

const chosen = vi.fn<(file: ChosenFile | undefined) => void>();

function Field(props: Partial<FileFieldProps>) {
  const [value, setValue] = useState(props.value);
  return (
    <FileField
      label="Mídia"
      {...props}
      value={value}
      onChange={(file) => {
        chosen(file);
        setValue(file?.id);
      }}
    />
  );
}

function visit(props: Partial<FileFieldProps> = {}, given: Record<string, unknown> = {}) {
  const { fetch, asked } = answers({
    "GET /api/v1/media": [MENU, TOUR],
    "GET /api/v1/media/file-1": LINK,
    "POST /api/v1/media": { id: "file-1" },
    ...given,
  });
  vi.stubGlobal("fetch", fetch);
  show([{ path: "/", element: <Field {...props} /> }]);
  return asked;
}

beforeEach(async () => {
  chosen.mockClear();
  await words("pt", "files");
  signInAs("builder");
});

test("a file from the device is uploaded, kept and shown", async () => {
  const asked = visit();
  await expectAccessible();
  expect(asked).toEqual([]); // a form without files asks for none
  await userEvent.upload(screen.getByLabelText("Arquivo: Mídia"), PICTURE);
  await waitFor(() =>
    expect(chosen).toHaveBeenCalledWith({ id: "file-1", kind: "image", filename: "cardápio.png" }),
  );
  expect(asked[0]?.body).toMatchObject({ mime_type: "image/png", filename: "cardápio.png", keep: true });
  expect(await screen.findByText("cardápio.png")).toBeVisible();
  await waitFor(() => expect(document.querySelector("img")).toHaveAttribute("src", LINK.url));
  expect(screen.getByText("2,5 kB")).toBeVisible();
  await expectAccessible();
});

test("a file is dropped onto the field", async () => {
  visit();
  const field = screen.getByText("ou arraste um arquivo para cá").closest(".files-field")!;
  fireEvent.dragOver(field);
  expect(field).toHaveAttribute("data-over", "true");
  fireEvent.drop(field, { dataTransfer: { files: [PICTURE] } });
  await waitFor(() => expect(chosen).toHaveBeenCalled());
  expect(field).toHaveAttribute("data-over", "false");
});

test("a file that is there is chosen, by its kind", async () => {
  visit({ kind: "image" });
  await userEvent.click(screen.getByRole("combobox", { name: "Arquivo que já existe: Mídia" }));
  await userEvent.click(await screen.findByRole("option", { name: "cardápio.png" }));
  expect(screen.queryByRole("option", { name: "visita.mp4" })).toBeNull();
  expect(chosen).toHaveBeenCalledWith({ id: "file-1", kind: "image", filename: "cardápio.png" });
});

test("a file is removed", async () => {
  visit({ value: "file-1" });
  expect(await screen.findByText("cardápio.png")).toBeVisible();
  expect(screen.getByRole("button", { name: "Trocar o arquivo: Mídia" })).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Remover o arquivo: Mídia" }));
  expect(chosen).toHaveBeenCalledWith(undefined);
  expect(screen.getByRole("button", { name: "Enviar um arquivo: Mídia" })).toBeVisible();
});

test("a file that WhatsApp does not take is refused in words", async () => {
  const refused = Response.json({ code: "media_size", detail: "" }, { status: 422 });
  visit({}, { "POST /api/v1/media": refused });
  await userEvent.upload(screen.getByLabelText("Arquivo: Mídia"), PICTURE);
  expect(await screen.findByRole("alert")).toBeVisible();
  expect(chosen).not.toHaveBeenCalled();
});

test("an agent chooses among the files of builders, and uploads none", () => {
  signInAs("agent");
  visit();
  expect(screen.getByRole("combobox", { name: "Arquivo que já existe: Mídia" })).toBeVisible();
  expect(screen.queryByRole("button", { name: "Enviar um arquivo: Mídia" })).toBeNull();
});
