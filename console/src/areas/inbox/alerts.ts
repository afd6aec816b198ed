import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { announce } from "../../ui/announce.ts";
import { keyOf, nameOf, pathOf, type Summary } from "./queries.ts";

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

const RUNG = "pytake.rung";
const KEPT = 50;

/**
 * The handoffs that no other tab of this browser has rung for. Their times stand for them: people's numbers are not kept.
 */
function unrung(arrived: readonly Summary[]): Promise<Summary[]> {
  return navigator.locks.request(RUNG, () => {
    const rung = JSON.parse(localStorage.getItem(RUNG) ?? "[]") as string[];
    const fresh = arrived.filter(({ handoff }) => handoff && !rung.includes(handoff.at));
    const times = [...rung, ...fresh.flatMap(({ handoff }) => handoff?.at ?? [])];
    localStorage.setItem(RUNG, JSON.stringify(times.slice(-KEPT)));
    return fresh;
  });
}

/** Tell of new handoffs: to screen readers, by a tone, and by a notification of the browser when the page is hidden. */
export function useHandoffAlerts(waiting: readonly Summary[] | undefined): void {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const known = useRef<KnownHandoffs>(undefined);
  useEffect(() => {
    if (!waiting) return;
    known.current ??= new KnownHandoffs(waiting);
    const arrived = known.current.arrived(waiting);
    if (arrived.length === 0) return;
    const textOf = (one: Summary) => t("handoffs.arrived", { name: nameOf(one) });
    announce(arrived.map(textOf).join(" "));
    void unrung(arrived).then((fresh) => {
      if (fresh.length > 0) tone().catch(() => undefined); // the text was said
      if (!document.hidden || notifications() !== "granted") return;
      for (const one of fresh) {
        const shown = new Notification(textOf(one), { tag: one.contact_id });
        shown.addEventListener("click", () => {
          window.focus();
          void navigate(pathOf(keyOf(one)));
        });
      }
    });
  }, [waiting, t, navigate]);
}
