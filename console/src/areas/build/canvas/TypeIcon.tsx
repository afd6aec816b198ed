import type { NodeType } from "../../../flow/document.ts";

const PATHS: Record<NodeType, string> = {
  start: "M8 5v14l11-7z",
  message: "M4 5h16v11H9l-5 4z",
  question: "M9 9a3 3 0 1 1 4 3c-1 .5-1 1-1 2M12 18v-.01",
  condition: "M12 4v5M12 9 6 14v6M12 9l6 5v6",
  schedule: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  jump: "M5 12h12M13 7l5 5-5 5M20 5v14",
  end: "M6 6h12v12H6z",
  handoff: "M12 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM5 20c0-4 3-6 7-6s7 2 7 6",
  action: "M13 3 5 14h6l-1 7 8-11h-6z",
  api_call: "M9 7 4 12l5 5M15 7l5 5-5 5",
  ai_prompt: "M12 3l2 6 6 2-6 2-2 6-2-6-6-2 6-2z",
  wait_event: "M7 3h10M7 21h10M8 3c0 5 8 6 8 9s-8 4-8 9M16 3c0 5-8 6-8 9s8 4 8 9",
  delay: "M12 21a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 9v4M10 2h4",
  set_variable: "M8 4c-3 0-1 6-4 8 3 2 1 8 4 8M16 4c3 0 1 6 4 8-3 2-1 8-4 8M10 10l4 5M14 10l-4 5",
  random: "M4 7h3l10 10h3M4 17h3L17 7h3M17 4l3 3-3 3M17 14l3 3-3 3",
  template: "M5 4h14v16H5zM8 8h8M8 12h8M8 16h5",
  whatsapp_flow: "M5 4h14v16H5zM8 8h3M13 8h3M8 12h8M8 16h8",
};

/** The drawing of a node's type. */
export function TypeIcon({ type, size = 18 }: { type: NodeType; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      className="build-type"
      data-type={type}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[type]} />
    </svg>
  );
}

/** The types in the order of the palette, by what they are for. */
export const PALETTE: readonly (readonly [string, readonly NodeType[]])[] = [
  ["talk", ["message", "question", "template", "whatsapp_flow"]],
  ["decide", ["condition", "schedule", "random", "jump"]],
  ["do", ["action", "set_variable", "api_call", "ai_prompt", "delay", "wait_event"]],
  ["finish", ["handoff", "end", "start"]],
];
