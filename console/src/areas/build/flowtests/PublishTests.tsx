import { Alert } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useEditor } from "../editor/state.tsx";
import { testRunQuery } from "./tests.ts";
import { useFailureText } from "./useFailureText.ts";

/** Before publishing: which tests the draft fails. It may be published all the same. */
export function PublishTests({ enabled }: { enabled: boolean }) {
  const { t } = useTranslation("build");
  const { document } = useEditor();
  const run = useQuery({ ...testRunQuery(document), enabled });
  const text = useFailureText();
  const failed = (run.data?.results ?? []).filter(({ outcome }) => outcome === "failed");
  if (!failed.length) {
    return run.data?.passed ? (
      <p className="quiet flush" role="status">
        {t("tests.summary", { passed: run.data.passed, all: run.data.results.length })}
      </p>
    ) : null;
  }
  return (
    <Alert color="yellow" p="xs" mb="xs" title={t("tests.fail", { count: failed.length })}>
      <ul className="build-tests-failed">
        {failed.map(({ name, failures }) => (
          <li key={name}>
            <strong>{name}</strong> {failures[0] && text(failures[0])}
          </li>
        ))}
      </ul>
    </Alert>
  );
}
