import { Alert, Button, Textarea } from "@mantine/core";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { FlowDocument } from "../../../flow/document.ts";
import { useEditor } from "./state.tsx";
import { useInspection } from "./useDraft.ts";
import { useFindingText } from "./useFindingText.ts";

/** Return the document in a text, or the line in which it stops being JSON. */
function read(text: string, id: string): { document?: FlowDocument; line?: string | undefined } {
  try {
    const document = JSON.parse(text) as FlowDocument;
    const whole = document.id === id && Array.isArray(document.nodes);
    return whole &&
      document.nodes.every((node) => typeof node?.id === "string" && typeof node.data === "object")
      ? { document }
      : {};
  } catch (error) {
    return { line: /line (\d+)/.exec(String(error))?.[1] };
  }
}

/** The whole document as JSON, for experts, with what the prover says of it; nothing changes until it is valid and taken over. */
export function JsonView() {
  const { t } = useTranslation("build");
  const { document, edit, inspection } = useEditor();
  const [text, setText] = useState<string>();
  const area = useRef<HTMLTextAreaElement>(null);
  const findingText = useFindingText();
  const shown = text ?? JSON.stringify(document, null, 2);
  const { document: parsed, line } = text === undefined ? {} : read(text, document.id);
  const written = useInspection(parsed);
  const problems = (text === undefined ? inspection : written.inspection)?.problems ?? [];
  const wrong = line ? t("json.wrongAt", { line }) : t("json.wrong");

  function go(nodeId: string) {
    const at = shown.indexOf(`"id": ${JSON.stringify(nodeId)}`);
    if (at < 0 || !area.current) return;
    area.current.focus();
    area.current.setSelectionRange(at, shown.indexOf("\n", at));
    const lines = shown.split("\n").length;
    area.current.scrollTop =
      (area.current.scrollHeight / lines) * (shown.slice(0, at).split("\n").length - 3);
  }

  return (
    <div className="build-form build-json">
      <Textarea
        ref={area}
        label={t("json.label")}
        value={shown}
        onChange={(event) => setText(event.currentTarget.value)}
        error={text !== undefined && !parsed ? wrong : undefined}
        spellCheck={false}
      />
      {problems.length > 0 && (
        <div className="build-json-findings">
          {problems.map((finding) => (
            <Alert
              key={`${finding.node_id} ${finding.code} ${finding.field}`}
              color={finding.severity === "error" ? "red" : "yellow"}
              p="xs"
            >
              {findingText(finding)}{" "}
              <code>{[finding.node_id, finding.field].filter(Boolean).join(" · ")}</code>{" "}
              {finding.node_id && (
                <Button size="compact-xs" variant="subtle" onClick={() => go(finding.node_id!)}>
                  {t("publish.show", { node: finding.node_id })}
                </Button>
              )}
            </Alert>
          ))}
        </div>
      )}
      <div className="build-row">
        <Button
          size="xs"
          disabled={!parsed}
          onClick={() => {
            edit(() => parsed!);
            setText(undefined);
          }}
        >
          {t("json.apply")}
        </Button>
        <Button size="xs" variant="default" disabled={text === undefined} onClick={() => setText(undefined)}>
          {t("json.discard")}
        </Button>
      </div>
    </div>
  );
}
