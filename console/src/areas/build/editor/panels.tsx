import { later } from "../../../ui/later.tsx";

// What is beside or over the canvas is loaded when it is first shown, so that the flow is drawn without waiting for it.

const nodeForm = () => import("../forms/NodeForm.tsx");
const conflict = () => import("./Conflict.tsx");

export const NodeForm = later(async () => (await nodeForm()).NodeForm);
export const Conflict = later(async () => (await conflict()).Conflict);
export const Differences = later(async () => (await import("../differences/Differences.tsx")).Differences);
export const TestsPanel = later(async () => (await import("../flowtests/TestsPanel.tsx")).TestsPanel);
export const Languages = later(async () => (await import("../languages/Languages.tsx")).Languages);
export const PublishDialog = later(async () => (await import("../publish/PublishDialog.tsx")).PublishDialog);
export const Versions = later(async () => (await import("../publish/Versions.tsx")).Versions);
export const Rehearsal = later(async () => (await import("../rehearsal/Rehearsal.tsx")).Rehearsal);
export const FlowSettings = later(async () => (await import("./FlowSettings.tsx")).FlowSettings);
export const JsonView = later(async () => (await import("./JsonView.tsx")).JsonView);
export const Search = later(async () => (await import("./Search.tsx")).Search);

const REST_MILLISECONDS = 1000;

/** Do something when the flow has been drawn for a moment. Returns how to call it off. */
export function atRest(todo: () => void): () => void {
  const timer = setTimeout(todo, REST_MILLISECONDS);
  return () => clearTimeout(timer);
}

/**
 * Load what most people need next: the form of a node; and what must not fail when the server is gone: the choice between
 * two versions of a draft.
 */
export function loadNext(): void {
  void Promise.all([nodeForm(), conflict()]);
}
