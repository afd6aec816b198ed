const CONTROLS = /[\u202A-\u202E\u2066-\u2069]/gu;

/** A text that a stranger chose, such as a file's name, without the characters that reverse the reading direction. With them a
 * program can look like a picture. */
export function plain(text: string): string {
  return text.replaceAll(CONTROLS, "");
}

/** What a stored file is called: its name, or else its type. */
export function fileName({ filename, mime_type }: { filename: string | null; mime_type: string }): string {
  return plain(filename ?? mime_type);
}

/** The first letters of the first and the last word of a name; of a name without letters, its first sign. */
export function initialsOf(name: string): string {
  const words = name.split(/\s+/u).flatMap((word) => /[\p{L}\p{N}]/u.exec(word)?.[0] ?? []);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].join("").toLocaleUpperCase();
  return letters || String.fromCodePoint(name.codePointAt(0) ?? 0x3f);
}
