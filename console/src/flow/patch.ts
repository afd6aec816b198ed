/** One operation of a JSON patch (RFC 6902), of those that fixes use. */
export interface Operation {
  op: "test" | "add" | "replace" | "remove";
  path: string;
  value?: unknown;
}

class PatchError extends Error {}

/** Return the document after a JSON patch; undefined if the document is another one than the patch is for. */
export function patched<Document>(document: Document, patch: readonly Operation[]): Document | undefined {
  try {
    return patch.reduce<unknown>(
      (value, operation) => applied(value, steps(operation.path), operation),
      document,
    ) as Document;
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}

function steps(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function applied(value: unknown, [step, ...rest]: string[], operation: Operation): unknown {
  if (step === undefined) {
    if (operation.op !== "test") return operation.value;
    if (!isEqual(value, operation.value)) throw new PatchError(operation.path);
    return value;
  }
  if (Array.isArray(value)) return inList(value as unknown[], Number(step), rest, operation);
  if (typeof value !== "object" || value === null) throw new PatchError(operation.path);
  const known = value as Record<string, unknown>;
  if (!(step in known) && !(operation.op === "add" && !rest.length)) throw new PatchError(operation.path);
  if (operation.op === "remove" && !rest.length) {
    const { [step]: _, ...others } = known;
    return others;
  }
  const inner = applied(known[step], rest, operation);
  return inner === known[step] ? value : { ...known, [step]: inner };
}

function inList(list: unknown[], index: number, rest: string[], operation: Operation): unknown {
  if (operation.op === "add" && !rest.length) return list.toSpliced(index, 0, operation.value);
  if (!(index in list)) throw new PatchError(operation.path);
  if (operation.op === "remove" && !rest.length) return list.toSpliced(index, 1);
  const inner = applied(list[index], rest, operation);
  return inner === list[index] ? list : list.with(index, inner);
}

/** Whether two JSON values are the same; the order of an object's fields does not count. */
export function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every(
      (name) =>
        name in other &&
        isEqual((one as Record<string, unknown>)[name], (other as Record<string, unknown>)[name]),
    )
  );
}
