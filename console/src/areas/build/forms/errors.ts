/** What is wrong with a value, by the path below it, such as `[0].name`; an empty path is the value itself. */
export type Errors = Readonly<Record<string, string>>;

export const NO_ERRORS: Errors = {};

/** Return what is wrong with one part of a value: a member such as `name`, or an item such as `[0]`. */
export function below(errors: Errors, part: string): Errors {
  const own = Object.entries(errors).flatMap(([path, text]) => {
    const rest = path.startsWith(part) ? path.slice(part.length) : undefined;
    return rest !== undefined && /^($|[.[])/.test(rest) ? [[rest.replace(/^\./, ""), text] as const] : [];
  });
  return own.length ? Object.fromEntries(own) : NO_ERRORS;
}

/** Return everything that is wrong with a value and its parts as one text. */
export function joined(errors: Errors): string | undefined {
  return [...new Set(Object.values(errors))].join(" ") || undefined;
}
