import { Button, NativeSelect, NumberInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { components } from "../../../generated/api.ts";
import { FieldPart } from "../forms/FieldPart.tsx";

type Schemas = components["schemas"];

const KINDS = { ai_prompt: "model", api_call: "call", start_flow: "start", send_email: "email" } as const;
const OK = 200;
const FAILURE = 500;

/** Why a call has no answer. The codes are those of the API, so the flow sees what it sees in a conversation. */
const ERRORS = {
  timeout: "timeout: The server did not answer in time.",
  connection_failed: "connection_failed: The server did not accept the connection.",
} as const;
type Outcome = "answer" | keyof typeof ERRORS;

function refusalOf(status: number): string {
  if (status >= 300 && status < 400)
    return `redirect_refused: The server responded with the redirect ${status}, which is not followed.`;
  return `http_status: The server responded with the status ${status}.`;
}

/** How a call ends: the builder answers in place of the API or the model, with any status, or lets it fail. */
export function CallForm({
  effect,
  onAnswer,
}: {
  effect: Schemas["RequestedCall"];
  onAnswer: (result: Schemas["CallResult"]) => void;
}) {
  const { t } = useTranslation("build");
  const [body, setBody] = useState<unknown>();
  const [status, setStatus] = useState<number | string>(OK);
  const [outcome, setOutcome] = useState<Outcome>("answer");
  const http = effect.type === "api_call";
  /** What is written; a pasted JSON is what it says. */
  function parsed(): Record<string, never> {
    if (typeof body !== "string") return (body ?? "") as Record<string, never>;
    try {
      return JSON.parse(body) as Record<string, never>;
    } catch {
      return body as unknown as Record<string, never>;
    }
  }
  function answer() {
    if (!http) return onAnswer({ ok: true, status: null, body: parsed() });
    if (outcome !== "answer") return onAnswer({ ok: false, status: null, error: ERRORS[outcome] });
    const given = typeof status === "number" ? status : OK;
    const ok = given >= 200 && given < 300;
    onAnswer({ ok, status: given, body: parsed(), ...(ok ? {} : { error: refusalOf(given) }) });
  }
  function fail() {
    if (!http) return onAnswer({ ok: false, status: null, error: "rehearsal" });
    onAnswer({ ok: false, status: FAILURE, error: refusalOf(FAILURE) });
  }
  return (
    <div className="build-phone-call">
      <strong>{t(`rehearsal.${KINDS[effect.type]}`)}</strong>
      <code className="build-phone-request">
        {effect.type === "ai_prompt"
          ? String(effect.request["prompt"] ?? "")
          : `${String(effect.request["method"] ?? "")} ${String(effect.request["url"] ?? "")}`}
      </code>
      {http && (
        <div className="build-row">
          <NativeSelect
            size="xs"
            label={t("rehearsal.outcome")}
            value={outcome}
            data={(["answer", "timeout", "connection_failed"] as const).map((value) => ({
              value,
              label: t(value === "answer" ? "rehearsal.answers" : `request.error.${value}`),
            }))}
            onChange={(event) => setOutcome(event.currentTarget.value as Outcome)}
          />
          {outcome === "answer" && (
            <NumberInput
              size="xs"
              label={t("rehearsal.status")}
              min={100}
              max={599}
              allowDecimal={false}
              value={status}
              onChange={setStatus}
            />
          )}
        </div>
      )}
      {outcome === "answer" && (
        <FieldPart field={{ name: "body", kind: "any", word: "answer" }} value={body} onChange={setBody} />
      )}
      <div className="build-row">
        <Button size="xs" onClick={answer}>
          {t("rehearsal.succeeds")}
        </Button>
        <Button size="xs" variant="default" onClick={fail}>
          {t("rehearsal.fails")}
        </Button>
      </div>
    </div>
  );
}
