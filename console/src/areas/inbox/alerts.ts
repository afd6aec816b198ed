import { useEffect, useRef } from "react";
import { announce } from "../../ui/announce.ts";
import { keyOf, pathOf, type Summary } from "./queries.ts";

/** A short tone, made here: no file is loaded. */
function tone(): void {
  const context = new AudioContext();
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = 660;
  gain.gain.setValueAtTime(0.08, context.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + 0.35);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start();
  oscillator.stop(context.currentTime + 0.35);
  oscillator.addEventListener("ended", () => void context.close());
}

/** Whether the browser shows notifications of this page, or may be asked to. */
export function notifications(): NotificationPermission | "unsupported" {
  return "Notification" in globalThis ? Notification.permission : "unsupported";
}

/** Return the conversations that came to agents since an earlier list: handed off, or handed off again. */
export function arrived(before: ReadonlyMap<string, string>, now: readonly Summary[]): Summary[] {
  return now.filter((one) => {
    const handoff = one.handoff?.at;
    return handoff !== undefined && (before.get(pathOf(keyOf(one))) ?? "") < handoff;
  });
}

/** Tell of new handoffs: to screen readers, by a tone, and by a notification of the browser when the page is hidden. */
export function useHandoffAlerts(
  waiting: readonly Summary[] | undefined,
  text: (name: string) => string,
): void {
  const before = useRef<Map<string, string>>(undefined);
  useEffect(() => {
    if (!waiting) return;
    const known = before.current;
    before.current = new Map(waiting.map((one) => [pathOf(keyOf(one)), one.handoff?.at ?? ""]));
    if (!known) return; // these were waiting when the page was opened
    for (const one of arrived(known, waiting)) {
      const message = text(one.name || one.phone || one.contact_id);
      announce(message);
      tone();
      if (document.hidden && notifications() === "granted") {
        const shown = new Notification(message, { tag: one.contact_id });
        shown.addEventListener("click", () => window.focus());
      }
    }
  }, [waiting, text]);
}
