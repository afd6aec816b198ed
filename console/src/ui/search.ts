/** A text as searching sees it: without accents and case. */
export function folded(text: string): string {
  return text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
}

/** Return the items in which each word of the search begins somewhere; all of them without a search. */
export function found<Item>(items: readonly Item[], search: string, textOf: (item: Item) => string): Item[] {
  const words = folded(search).split(/\s+/).filter(Boolean);
  return items.filter((item) => {
    const text = folded(textOf(item));
    return words.every((word) => text.includes(word));
  });
}
