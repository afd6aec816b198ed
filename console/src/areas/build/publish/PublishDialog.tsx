import { Alert, Button, Checkbox, TagsInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, got } from "../../../api/client.ts";
import { flowsQuery } from "../../../api/flows.ts";
import { session } from "../../../login/session.ts";
import { announce } from "../../../ui/announce.ts";
import { Problem } from "../../../ui/Problem.tsx";
import { FixButton } from "../editor/FixButton.tsx";
import { ShowNode } from "../editor/ShowNode.tsx";
import { useEditor } from "../editor/state.tsx";
import { Replay } from "../flowtests/Replay.tsx";
import { PublishTests } from "../flowtests/PublishTests.tsx";
import { useFindingText } from "../editor/useFindingText.ts";
import { changeable, numbersQuery, putNumber, type PhoneNumber } from "../../../api/numbers.ts";
import { folded } from "../../../ui/search.ts";
import { Dialog } from "../../../ui/Dialog.tsx";

interface Start {
  byDefault: boolean;
  words: string[];
}

/** Return how a number starts a flow. */
export function startOf(number: PhoneNumber, flowId: string): Start {
  const words = Object.entries(number.keywords as Record<string, string>)
    .filter(([, flow]) => flow === flowId)
    .map(([word]) => word);
  return { byDefault: number.default_flow_id === flowId, words };
}

/** Return the number with another start of a flow; what it has besides stays. */
export function withStart(number: PhoneNumber, flowId: string, { byDefault, words }: Start) {
  const given = new Set(words.map(folded));
  const others = Object.entries(number.keywords as Record<string, string>).filter(
    ([word, flow]) => flow !== flowId && !given.has(folded(word)),
  );
  const kept = number.default_flow_id === flowId ? null : number.default_flow_id;
  return {
    ...changeable(number),
    default_flow_id: byDefault ? flowId : kept,
    keywords: Object.fromEntries([...others, ...words.map((word) => [word, flowId])]) as Record<
      string,
      string
    >,
  };
}

/** Return the words that start other flows on a number, with these flows. */
function takenBy(number: PhoneNumber, flowId: string, words: readonly string[]): [string, string][] {
  return Object.entries(number.keywords as Record<string, string>).filter(
    ([word, flow]) => flow !== flowId && words.some((one) => folded(one) === folded(word)),
  );
}

interface PublishDialogProps {
  tag: () => Promise<string>;
  onCompare: (version: number) => void;
  onClose: () => void;
}

/** Publish: what is still wrong, and which numbers and words start the flow. */
export function PublishDialog({ tag, onCompare, onClose }: PublishDialogProps) {
  const { t } = useTranslation(["build", "shell"]);
  const { document, inspection } = useEditor();
  const text = useFindingText();
  const client = useQueryClient();
  const numbers = useQuery(numbersQuery());
  const flows = useQuery(flowsQuery());
  const current = flows.data?.find(({ flow_id }) => flow_id === document.id)?.published_version;
  const nameOf = (id: string) => flows.data?.find(({ flow_id }) => flow_id === id)?.name ?? id;
  const mayChange = session().person.role === "admin";
  const [starts, setStarts] = useState<Record<string, Start>>({});
  const errors = (inspection?.problems ?? []).filter(({ severity }) => severity === "error");
  const warnings = (inspection?.problems ?? []).filter(({ severity }) => severity !== "error");

  /** What was published, by the tag of its draft: a second try goes on with the numbers. */
  const done = useRef<{ tag: string; version: number }>(undefined);
  const publish = useMutation({
    mutationFn: async () => {
      const saved = await tag();
      if (done.current?.tag !== saved) {
        const params = { path: { flow_id: document.id }, header: { "if-match": saved } };
        const { version } = await got(api.POST("/api/v1/flows/{flow_id}/publish", { params }));
        done.current = { tag: saved, version };
      }
      if (Object.keys(starts).length) {
        // As they are now: what another administrator has changed since stays.
        for (const number of await client.fetchQuery({ ...numbersQuery(), staleTime: 0 })) {
          const start = starts[number.phone_number_id];
          if (!start) continue;
          await putNumber(number.phone_number_id, withStart(number, document.id, start));
        }
      }
      return done.current;
    },
    onSuccess: ({ version }) => {
      announce(t("publish.done", { version }));
      for (const key of ["flows", "numbers"]) void client.invalidateQueries({ queryKey: [key] });
      void client.invalidateQueries({ queryKey: ["versions", document.id] });
    },
  });

  const started = (numbers.data ?? []).some((number) => {
    const start = starts[number.phone_number_id] ?? startOf(number, document.id);
    return start.byDefault || start.words.length > 0;
  });

  return (
    <Dialog
      opened
      onClose={onClose}
      title={t("publish.title", { name: document.name ?? document.id })}
      size="lg"
    >
      {publish.isSuccess ? (
        <>
          <Alert color="leaf">{t("publish.done", { version: publish.data.version })}</Alert>
          <Button mt="md" onClick={onClose}>
            {t("shell:close")}
          </Button>
        </>
      ) : (
        <>
          {[...errors, ...warnings].map((finding) => (
            <Alert
              key={`${finding.node_id} ${finding.code} ${finding.field}`}
              color={finding.severity === "error" ? "red" : "yellow"}
              p="xs"
              mb="xs"
            >
              {text(finding)} <FixButton finding={finding} />
              <ShowNode id={finding.node_id} also={onClose} />
            </Alert>
          ))}
          {current && (
            <Button variant="default" size="xs" onClick={() => onCompare(current)}>
              {t("differences.show", { version: current })}
            </Button>
          )}
          <PublishTests enabled={!!inspection && errors.length === 0} />
          {errors.length === 0 && <Replay />}
          <h3>{t("publish.starts")}</h3>
          {!mayChange && <p className="quiet">{t("publish.adminOnly")}</p>}
          {numbers.isError && <Problem error={numbers.error} again={() => void numbers.refetch()} />}
          {numbers.data?.length === 0 && <p>{t("publish.noNumbers")}</p>}
          {(numbers.data ?? []).map((number) => {
            const start = starts[number.phone_number_id] ?? startOf(number, document.id);
            const set = (change: Partial<Start>) =>
              setStarts({ ...starts, [number.phone_number_id]: { ...start, ...change } });
            const taken = takenBy(number, document.id, start.words).map(
              ([word, flow]) => `${word} (${nameOf(flow)})`,
            );
            const other =
              number.default_flow_id && number.default_flow_id !== document.id
                ? number.default_flow_id
                : undefined;
            return (
              <fieldset key={number.phone_number_id} className="build-list" disabled={!mayChange}>
                <legend>{number.display_phone_number}</legend>
                <Checkbox
                  label={t("publish.byDefault")}
                  description={other && t("publish.insteadOf", { flow: nameOf(other) })}
                  checked={start.byDefault}
                  disabled={!mayChange}
                  onChange={(event) => set({ byDefault: event.currentTarget.checked })}
                />
                <TagsInput
                  label={t("publish.words")}
                  placeholder={t("publish.wordsHint")}
                  description={taken.length > 0 && t("publish.wordsInsteadOf", { words: taken.join(", ") })}
                  value={start.words}
                  acceptValueOnBlur
                  disabled={!mayChange}
                  onChange={(words) => set({ words })}
                />
              </fieldset>
            );
          })}
          {numbers.isSuccess && !started && <Alert color="yellow">{t("publish.unreachable")}</Alert>}
          {publish.isError && <Problem error={publish.error} />}
          <div className="build-dialog-end">
            <Button variant="default" onClick={onClose}>
              {t("shell:cancel")}
            </Button>
            <Button disabled={errors.length > 0} loading={publish.isPending} onClick={() => publish.mutate()}>
              {t("publish.publish")}
            </Button>
          </div>
        </>
      )}
    </Dialog>
  );
}
