import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { FlowDocument } from "../../../flow/document.ts";
import { useEditor } from "./state.tsx";

function read(text: string, id: string): FlowDocument | undefined {
  try {
    const document = JSON.parse(text) as FlowDocument;
    const whole = document.id === id && Array.isArray(document.nodes);
    return whole &&
      document.nodes.every((node) => typeof node?.id === "string" && typeof node.data === "object")
      ? document
      : undefined;
  } catch {
    return undefined;
  }
}

/** The whole document as JSON, for experts; nothing changes until it is valid and taken over. */
export function JsonView() {
  const { t } = useTranslation("build");
  const { document, edit } = useEditor();
  const [text, setText] = useState<string>();
  const shown = text ?? JSON.stringify(document, null, 2);
  const parsed = text === undefined ? undefined : read(text, document.id);
  return (
    <div className="build-form build-json">
      <Textarea
        label={t("json.label")}
        value={shown}
        onChange={(event) => setText(event.currentTarget.value)}
        error={text !== undefined && !parsed ? t("json.wrong") : undefined}
        spellCheck={false}
      />
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
