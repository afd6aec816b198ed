import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import { formatted } from "./marks.tsx";

function shown(text: string): string {
  return render(<p>{...formatted(text)}</p>).container.innerHTML;
}

test("a text is bold, italic, struck and monospaced as in WhatsApp, one within the other", () => {
  expect(shown("*Olá* _você_, ~dez~ ```*x*``` *_tudo_*!")).toBe(
    "<p><strong>Olá</strong> <em>você</em>, <s>dez</s> <code>*x*</code> <strong><em>tudo</em></strong>!</p>",
  );
});

test("signs within words, alone, or before a space are no marks, and a mark ends with its line", () => {
  const text = "snake_case_name https://x.io/a_b_c 2 * 3 * 4, *a\nb* ~ _";
  expect(shown(text)).toBe(`<p>${text}</p>`);
});

test("markup of others stays text", () => {
  expect(shown("*<b>x</b>* <img src=y>")).toBe(
    "<p><strong>&lt;b&gt;x&lt;/b&gt;</strong> &lt;img src=y&gt;</p>",
  );
});
