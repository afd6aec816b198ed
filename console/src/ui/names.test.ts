import { expect, test } from "vitest";
import { initialsOf, plain } from "./names.ts";

test("a name is read as it is written", () => {
  expect(plain("foto\u202Egpj.exe")).toBe("fotogpj.exe");
});

test.each([
  ["Ana Júlia de Souza", "AS"],
  ["rita", "R"],
  ["👩🏽‍🚀 Zoë 🎉", "Z"],
  ["ليلى حداد", "لح"],
  ["+5511999990001", "5"],
  ["🎉", "🎉"],
  ["", "?"],
])("the initials of %s", (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});
