export type Cell = string | number | null;

/**
 * A spreadsheet takes a cell that begins so for a formula, and a person may have written it. Where lists are separated by
 * semicolons, a spreadsheet divides a cell of this file at them, whatever its quotes; invisible characters are dropped.
 */
const FORMULA =
  /(^|[;\t\r\n])([ \v\f\u00a0\u00ad\u2000-\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff]*)(?=[=+\-@＝＋－＠])/g;

function written(cell: Cell): string {
  if (typeof cell !== "string") return cell === null ? "" : String(cell);
  const safe = cell.replace(FORMULA, "$1$2'");
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A table as CSV (RFC 4180), as the API writes it. */
export function csvOf(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(written).join(",")}\r\n`).join("");
}
