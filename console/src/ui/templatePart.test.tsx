import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { beforeEach, expect, test, vi } from "vitest";
import { componentsOf, isFilled, type MessageTemplate, type TemplateValues } from "../api/templates.ts";
import { answers, expectAccessible, show, signInAs, words } from "../testing/render.tsx";
import { templateOf } from "../testing/samples.ts";
import { TemplateForm } from "./TemplateForm.tsx";

/** Show the form of a template with these parts. Returns what would be sent, and whether it can be. */
function open(...components: object[]) {
  const template = { ...templateOf("oferta", ""), components } as MessageTemplate;
  vi.stubGlobal("fetch", answers({ "GET /api/v1/templates": [template] }).fetch);
  let now: TemplateValues = {};
  function Filling() {
    const [values, change] = useState<TemplateValues>({});
    now = values;
    return <TemplateForm chosen={template} choose={() => undefined} values={values} change={change} />;
  }
  const { container } = show([{ index: true, element: <Filling /> }]);
  return {
    container,
    sent: () => componentsOf(template, now),
    isReady: () => isFilled(template, now),
  };
}

beforeEach(async () => {
  await words("pt");
  signInAs("builder");
});

test("a place has numbers within their limits", async () => {
  const { sent, isReady, container } = open({ type: "HEADER", format: "LOCATION" });
  const latitude = screen.getByRole("textbox", { name: /Latitude/ });
  await userEvent.type(latitude, "-98.05x");
  await userEvent.tab();
  expect(latitude).toHaveValue("-90");
  await userEvent.clear(latitude);
  await userEvent.type(latitude, "-8.05");
  expect(isReady()).toBe(false);
  await userEvent.type(screen.getByRole("textbox", { name: /Longitude/ }), "-34.9");
  await userEvent.type(screen.getByRole("textbox", { name: /Nome do lugar/ }), "Loja");
  expect(isReady()).toBe(true);
  const location = { latitude: "-8.05", longitude: "-34.9", name: "Loja" };
  expect(sent()).toEqual([{ type: "header", parameters: [{ type: "location", location }] }]);
  await expectAccessible(container);
});

test("an offer has the time of its end", async () => {
  const offer = { text: "Só hoje", has_expiration: true };
  const { sent, isReady, container } = open({ type: "LIMITED_TIME_OFFER", limited_time_offer: offer });
  expect(isReady()).toBe(false);
  await userEvent.type(screen.getByLabelText(/A oferta “Só hoje” termina em/), "2026-12-24T18:00");
  const expiration_time_ms = new Date("2026-12-24T18:00").getTime();
  const parameters = [{ type: "limited_time_offer", limited_time_offer: { expiration_time_ms } }];
  expect(sent()).toEqual([{ type: "limited_time_offer", parameters }]);
  expect(isReady()).toBe(true);
  await expectAccessible(container);
});

test("several products have a picture and sections", async () => {
  const { sent, isReady, container } = open({ type: "BUTTONS", buttons: [{ type: "MPM", text: "Ver" }] });
  await userEvent.type(screen.getByRole("textbox", { name: /Produto cuja imagem aparece/ }), "sku1");
  await userEvent.type(screen.getByRole("textbox", { name: "Título da seção" }), "Novos");
  expect(isReady()).toBe(false);
  await userEvent.type(
    screen.getByRole("combobox", { name: "Códigos dos produtos" }),
    "sku1{Enter}sku2{Enter}",
  );
  expect(isReady()).toBe(true);
  const items = ["sku1", "sku2"].map((product_retailer_id) => ({ product_retailer_id }));
  const action = {
    thumbnail_product_retailer_id: "sku1",
    sections: [{ title: "Novos", product_items: items }],
  };
  const part = { type: "button", sub_type: "mpm", index: "0", parameters: [{ type: "action", action }] };
  expect(sent()).toEqual([part]);
  await userEvent.click(screen.getByRole("button", { name: "Acrescentar seção" }));
  expect(isReady()).toBe(false);
  await expectAccessible(container);
});
