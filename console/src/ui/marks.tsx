import type { ReactNode } from "react";

const TAGS = ["code", "strong", "em", "s"] as const;
const LETTER = String.raw`[\p{L}\p{N}]`;

/** A text between two of a sign that touch it, and no letter outside: `snake_case_name` has no mark. */
function between(sign: string): string {
  const inside = String.raw`[^\n${sign}]`;
  return `(?<!${LETTER})[${sign}](?!\\s)(${inside}*(?<!\\s))[${sign}](?!${LETTER})`;
}
const MARKS = new RegExp(`\`\`\`([^\`]+)\`\`\`|${["*", "_", "~"].map(between).join("|")}`, "gu");

/** A text as WhatsApp shows it: bold, italic, struck, monospaced. `between` shows what is between the marks. */
export function formatted(
  text: string,
  rest: (text: string) => readonly ReactNode[] = (plain) => [plain],
): ReactNode[] {
  const shown: ReactNode[] = [];
  let end = 0;
  for (const match of text.matchAll(MARKS)) {
    const place = match.slice(1).findIndex((inside) => inside !== undefined);
    const inside = match[place + 1]!;
    const Tag = TAGS[place]!;
    shown.push(...rest(text.slice(end, match.index)));
    shown.push(<Tag key={match.index}>{...Tag === "code" ? [inside] : formatted(inside, rest)}</Tag>);
    end = match.index + match[0].length;
  }
  return [...shown, ...rest(text.slice(end))];
}
