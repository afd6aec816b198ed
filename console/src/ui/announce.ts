const REGION = "announcements";

/** Let a screen reader say a text; the shell has the region. The same text twice is said twice. */
export function announce(text: string): void {
  const region = document.getElementById(REGION);
  if (region) region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}
