import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { patched } from "../../../flow/patch.ts";
import { announce } from "../../../ui/announce.ts";
import type { Finding } from "../queries.ts";
import { useActions } from "./state.tsx";

const MOST = 48;

/** The correction of a finding, if it is mechanical: one step that can be undone. */
export function FixButton({ finding: { fix } }: { finding: Finding }) {
  const { t, i18n } = useTranslation("build");
  const { edit, latest } = useActions();
  if (!fix || !i18n.exists(`fix.${fix.action}`, { ns: "build" })) return null;
  const value = fix.value ?? "";
  const label = t(`fix.${fix.action as "swap"}`, {
    value: value.length > MOST ? `${value.slice(0, MOST - 1)}…` : value,
  });
  function apply() {
    const after = patched(latest().document, fix!.patch);
    if (after) edit((before) => patched(before, fix!.patch) ?? before);
    announce(after ? t("canvas.fixed", { fix: label }) : t("canvas.changedSince"));
  }
  return (
    <Button size="compact-xs" variant="light" className="build-fix" onClick={apply}>
      {label}
    </Button>
  );
}
