import type { FlowSummary } from "../api/flows.ts";
import type { PhoneNumber } from "../api/numbers.ts";

/** What the API has in tests of several areas. */
export const NUMBER = { phone_number_id: "1001", display_phone_number: "+55 11 4000-0001" } as PhoneNumber;
export const FLOW = { flow_id: "menu", name: "Menu", published_version: 1 } as FlowSummary;
export const PERIOD = { days: 30, from: "2026-11-01", to: "2026-11-30", timezone: "America/Sao_Paulo" };

/** An approved template whose body is this text. */
export function templateOf(name: string, text: string) {
  return {
    waba_id: "7",
    name,
    language: "pt_BR",
    status: "APPROVED",
    parameter_format: "POSITIONAL",
    components: [{ type: "BODY", text }],
  };
}

/** A group of people in a comparison: 100 of 1,000 reached the goal. */
export const ARM = {
  weight: 1,
  people: 1000,
  reached: 100,
  share: 0.1,
  difference: null,
  verdict: "no_difference_yet",
};

/** What a comparison of groups says. */
export const JUDGED = {
  sample_ratio_mismatch: false,
  people_needed: 4321,
  conclusion: "difference",
  statement: "",
};
