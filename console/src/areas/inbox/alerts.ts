import { useEffect, useRef } from "react";
import { announce } from "../../ui/announce.ts";
import { keyOf, pathOf, type Summary } from "./queries.ts";

const LATE_MILLISECONDS = 1_000;

let audio: AudioContext | undefined;

/** A short tone, made here: no file is loaded. Without it if the browser waits for the person to touch the page. */
async function tone(): Promise<void> {
  const asked = Date.now();
  audio ??= new AudioContext();
  await audio.resume();
  if (Date.now() - asked > LATE_MILLISECONDS) return;
  const oscillator = audio.createOscillator();
  const gain = audio.createGain();
  oscillator.frequency.value = 660;
  gain.gain.setValueAtTime(0.08, audio.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + 0.35);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start();
  oscillator.stop(audio.currentTime + 0.35);
}

/** Whether the browser shows notifications of this page, or may be asked to. */
export function notifications(): NotificationPermission | "unsupported" {
  return "Notification" in globalThis ? Notification.permission : "unsupported";
}

function handedOff({ handoff }: Summary): number {
  return handoff ? Date.parse(handoff.at) : 0;
}

/** The handoffs that an agent has been notified of. An older conversation that enters the list is not notified. */
export class KnownHandoffs {
  private readonly times: Map<string, number>;
  private readonly began: number;

  /** These waited when the page was opened. */
  constructor(waiting: readonly Summary[]) {
    this.times = new Map(waiting.map((one) => [pathOf(keyOf(one)), handedOff(one)]));
    this.began = Math.max(0, ...this.times.values());
  }

  /** Return the conversations that came to agents since then and were not returned before: handed off, or handed off again. */
  arrived(waiting: readonly Summary[]): Summary[] {
    return waiting.filter((one) => {
      const path = pathOf(keyOf(one));
      const at = handedOff(one);
      if (at <= this.began || at <= (this.times.get(path) ?? 0)) return false;
      this.times.set(path, at);
      return true;
    });
  }
}

/** Tell of new handoffs: to screen readers, by a tone, and by a notification of the browser when the page is hidden. */
export function useHandoffAlerts(
  waiting: readonly Summary[] | undefined,
  text: (name: string) => string,
): void {
  const known = useRef<KnownHandoffs>(undefined);
  useEffect(() => {
    if (!waiting) return;
    known.current ??= new KnownHandoffs(waiting);
    for (const one of known.current.arrived(waiting)) {
      const message = text(one.name || one.phone || one.contact_id);
      announce(message);
      tone().catch(() => undefined); // the text was said
      if (document.hidden && notifications() === "granted") {
        const shown = new Notification(message, { tag: one.contact_id });
        shown.addEventListener("click", () => window.focus());
      }
    }
  }, [waiting, text]);
}
