import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { ROLES } from "../login/session.ts";
import { expectAccessible, show, signInAs, words } from "../testing/render.tsx";
import { AREAS, areasOf } from "./areas.ts";
import { routes } from "./router.tsx";

beforeEach(() => words());

test.each(ROLES)("%s sees the areas of the role and no other", (role) => {
  signInAs(role);
  show(routes());
  const links = screen.getByRole("navigation").querySelectorAll(".shell-area");
  expect(links).toHaveLength(areasOf(role, true).length);
  expect(areasOf(role, true).every((area) => area.roles.includes(role))).toBe(true);
});

test("an administrator sees every area", () => {
  expect(areasOf("admin", true)).toEqual(AREAS);
  expect(areasOf(undefined, true)).toEqual([]);
});

test("a deployed stack has no simulated phones", () => {
  expect(areasOf("admin", false).map(({ id }) => id)).not.toContain("try");
});

test("an address that does not exist says so and leads back", async () => {
  signInAs("admin");
  const { router } = show(routes(), "/nowhere");
  expect(await screen.findByRole("heading", { name: "Esta página não existe" })).toHaveFocus();
  await userEvent.click(screen.getByRole("button", { name: "Ir para o início" }));
  expect(router.state.location.pathname).toBe("/");
});

test("the language changes at once, and the page knows it", async () => {
  signInAs("builder", "Bruno");
  show(routes());
  await userEvent.click(screen.getByRole("button", { name: "Menu de Bruno" }));
  await userEvent.click(await screen.findByText("English"));
  expect(await screen.findByRole("heading", { name: "Hello, Bruno" })).toBeVisible();
  expect(document.documentElement.lang).toBe("en");
});

test("axe finds nothing", async () => {
  signInAs("admin");
  const { container } = show(routes());
  await expectAccessible(container);
});
