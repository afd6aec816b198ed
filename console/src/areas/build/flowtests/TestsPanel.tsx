import { ActionIcon, Badge, Button, FileButton, Skeleton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { announce } from "../../../ui/announce.ts";
import { Confirm } from "../../../ui/Confirm.tsx";
import { Icon } from "../../../ui/Icon.tsx";
import { Problem } from "../../../ui/Problem.tsx";
import { download } from "../download.ts";
import { ShowNode } from "../editor/ShowNode.tsx";
import { useEditor } from "../editor/state.tsx";
import { Replay } from "./Replay.tsx";
import { changeTests, litBy, testFile, testRunQuery, testsQuery, withTests, type TestFile } from "./tests.ts";
import { useFailureText } from "./useFailureText.ts";

const OUTCOMES = { passed: "leaf", failed: "red", not_run: "gray" } as const;

/** The tests of a flow beside the canvas: how they go on the draft, and what of it they take, lit. */
export function TestsPanel({ onRehearse }: { onRehearse: () => void }) {
  const { t } = useTranslation(["build", "shell"]);
  const { document, inspection, light, select } = useEditor();
  const client = useQueryClient();
  const tests = useQuery(testsQuery(document.id));
  const run = useQuery({ ...testRunQuery(document), enabled: !!tests.data?.conversations.length });
  const [leaving, setLeaving] = useState<string>();
  const failure = useFailureText();
  const again = () =>
    Promise.all(
      ["flow-tests", "flow-test-run"].map((key) =>
        client.invalidateQueries({ queryKey: [key, document.id] }),
      ),
    );
  const remove = useMutation({
    mutationFn: () =>
      changeTests(document.id, (file) => ({
        ...file,
        conversations: file.conversations.filter(({ name }) => name !== leaving),
      })),
    onSuccess: async () => {
      announce(t("tests.deleted", { name: leaving }));
      setLeaving(undefined);
      await again();
    },
  });
  const add = useMutation({
    mutationFn: async (file: File) => {
      const { conversations, ...settings } = JSON.parse(await file.text()) as TestFile;
      delete settings["flow"];
      const given = conversations.map((one) => ({ ...settings, ...one }));
      await changeTests(document.id, (before) => withTests(before, given));
    },
    onSuccess: again,
  });
  const save = useMutation({
    mutationFn: async () =>
      download(`${document.id}.test.json`, JSON.stringify(await testFile(document.id), null, 2)),
  });

  const taken = run.data?.taken;
  useEffect(() => {
    light(
      litBy(
        (taken ?? []).filter(({ flow_id }) => flow_id === document.id),
        inspection,
      ),
    );
    return () => light(new Set());
  }, [taken, inspection, document.id, light]);

  const known = tests.data?.conversations ?? [];
  const outcomes = new Map((run.data?.results ?? []).map((result) => [result.name, result]));
  const coverage = run.data?.coverage.find(({ flow_id }) => flow_id === document.id);
  const missing = (run.data?.missing ?? []).filter(({ flow_id }) => flow_id === document.id);
  return (
    <section className="build-phone build-tests" aria-label={t("tests.title")}>
      <header className="build-phone-head">
        <strong>{t("tests.title")}</strong>
        <Button
          size="compact-xs"
          variant="default"
          disabled={!known.length}
          loading={run.isFetching}
          onClick={() => void run.refetch()}
        >
          {t("tests.run")}
        </Button>
      </header>
      <div className="build-tests-list">
        {tests.isPending && <Skeleton height={80} />}
        {tests.isError && <Problem error={tests.error} again={() => void tests.refetch()} />}
        {run.isError && <Problem error={run.error} again={() => void run.refetch()} />}
        {add.isError && <Problem error={add.error} />}
        {save.isError && <Problem error={save.error} />}
        {tests.isSuccess && !known.length && (
          <>
            <p className="quiet flush">{t("tests.none")}</p>
            <Button size="xs" onClick={onRehearse}>
              {t("toolbar.rehearse")}
            </Button>
          </>
        )}
        {run.data && known.length > 0 && (
          <p className="flush" role="status">
            {t("tests.summary", { passed: run.data.passed, all: run.data.results.length })}
          </p>
        )}
        <ul className="build-tests-results">
          {known.map(({ name }) => {
            const result = outcomes.get(name);
            return (
              <li key={name}>
                <span className="build-tests-name">
                  {result && (
                    <Badge size="sm" color={OUTCOMES[result.outcome]} variant="light">
                      {t(`tests.outcome.${result.outcome}`)}
                    </Badge>
                  )}
                  <strong>{name}</strong>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    size="sm"
                    aria-label={t("tests.delete", { name })}
                    title={t("tests.delete", { name })}
                    onClick={() => setLeaving(name)}
                  >
                    <Icon name="close" size={14} />
                  </ActionIcon>
                </span>
                {result?.failures[0] && (
                  <p className="flush">
                    {failure(result.failures[0])} <ShowNode id={result.failures[0].node_id} />
                  </p>
                )}
              </li>
            );
          })}
        </ul>
        {coverage && known.length > 0 && (
          <details>
            <summary>
              {t("tests.coverage", {
                nodes: coverage.nodes_covered,
                allNodes: coverage.nodes,
                exits: coverage.exits_covered,
                allExits: coverage.exits,
              })}
            </summary>
            <ul className="build-tests-missing">
              {missing.map(({ node_id, exit }) => (
                <li key={`${node_id} ${exit}`}>
                  <Button size="compact-xs" variant="subtle" onClick={() => select([node_id])}>
                    {t("tests.missing", { node: nameOf(node_id), exit })}
                  </Button>
                </li>
              ))}
            </ul>
          </details>
        )}
        <Replay />
      </div>
      <footer className="build-row build-tests-files">
        <Button size="compact-xs" variant="default" disabled={!known.length} onClick={() => save.mutate()}>
          {t("tests.export")}
        </Button>
        <FileButton accept="application/json,.json" onChange={(file) => file && add.mutate(file)}>
          {(props) => (
            <Button size="compact-xs" variant="default" loading={add.isPending} {...props}>
              {t("tests.import")}
            </Button>
          )}
        </FileButton>
      </footer>
      {leaving !== undefined && (
        <Confirm
          opened
          onClose={() => setLeaving(undefined)}
          title={t("tests.delete", { name: leaving })}
          text={t("tests.deleteAbout")}
          action={t("tests.deleteAction")}
          color="red"
          doing={remove}
        />
      )}
    </section>
  );

  function nameOf(id: string): string {
    const node = document.nodes.find((one) => one.id === id);
    return node?.label || id;
  }
}
