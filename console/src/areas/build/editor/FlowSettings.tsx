import { Alert, NumberInput, Select, Switch, TagsInput, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { FLOW_LANGUAGES } from "../../../flow/edit.ts";
import { languageName } from "../../../i18n/format.ts";
import { Dialog } from "../../../ui/Dialog.tsx";
import { useVariables } from "../forms/TextPart.tsx";
import { useEditor } from "./state.tsx";
import { useFindingText } from "./useFindingText.ts";

/** What belongs to the flow and to none of its nodes. */
export function FlowSettings({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("build");
  const { document, findings, edit } = useEditor();
  const text = useFindingText();
  const variables = useVariables().filter(
    (name) => !name.includes(".") && name !== "now" && name !== "today",
  );
  const own = document.language ?? "pt_BR";
  const reported = (document["report_variables"] ?? []) as string[];
  const hours = document["session_ttl_hours"];
  function set(field: string, value: unknown) {
    edit(({ [field]: _, ...rest }) => {
      const kept = value === undefined || value === "" ? rest : { ...rest, [field]: value };
      return kept as typeof document;
    }, `flow.${field}`);
  }
  return (
    <Dialog opened onClose={onClose} title={t("settings.title")}>
      <div className="build-form">
        {(findings.get("") ?? []).map((finding) => (
          <Alert
            key={`${finding.code} ${finding.field}`}
            color={finding.severity === "error" ? "red" : "yellow"}
            p="xs"
          >
            {text(finding)}
          </Alert>
        ))}
        <TextInput
          data-autofocus
          label={t("new.name")}
          value={document.name ?? ""}
          placeholder={document.id}
          onChange={(event) => set("name", event.currentTarget.value)}
        />
        <Select
          label={t("new.language")}
          description={t("settings.languageAbout")}
          data={[...new Set([...FLOW_LANGUAGES, own])].map((code) => ({
            value: code,
            label: languageName(code),
          }))}
          value={own}
          onChange={(next) => set("language", next ?? own)}
        />
        <TagsInput
          label={t("flowField.report_variables")}
          description={t("settings.reportAbout")}
          data={variables}
          value={reported}
          acceptValueOnBlur
          onChange={(next) => set("report_variables", next.length ? next : undefined)}
        />
        <NumberInput
          label={t("flowField.session_ttl_hours")}
          description={t("settings.hoursAbout")}
          min={0}
          value={typeof hours === "number" ? hours : ""}
          onChange={(next) =>
            set("session_ttl_hours", typeof next === "number" && next > 0 ? next : undefined)
          }
        />
        <Switch
          label={t("flowField.merge_texts")}
          description={t("settings.mergeAbout")}
          checked={document["merge_texts"] !== false}
          onChange={(event) => set("merge_texts", event.currentTarget.checked ? undefined : false)}
        />
      </div>
    </Dialog>
  );
}
