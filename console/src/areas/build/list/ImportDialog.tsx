import { Alert, Button, FileInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { api, got } from "../../../api/client.ts";
import { ApiError } from "../../../api/errors.ts";
import type { FlowDocument } from "../../../flow/document.ts";
import type { components } from "../../../generated/api.ts";
import { Problem } from "../../../ui/Problem.tsx";
import { loadWords } from "../../../i18n/words.ts";
import { flowsQuery } from "../../../api/flows.ts";
import { connections, createAll, freeId } from "./create.ts";
import { Dialog } from "../../../ui/Dialog.tsx";

type Loss = components["schemas"]["ImportLoss"];

async function converted(file: File): Promise<{ documents: FlowDocument[]; losses: Loss[] }> {
  let read: unknown;
  try {
    read = JSON.parse(await file.text());
  } catch {
    throw new ApiError(400, "json_invalid", "");
  }
  if (typeof read === "object" && read !== null && "format" in read && read.format === 1 && "nodes" in read) {
    return { documents: [read as FlowDocument], losses: [] }; // a flow of ours, as "Export" writes it
  }
  await loadWords("losses");
  const answer = await got(api.POST("/api/v1/flows/import", { body: read as Record<string, never> }));
  return { documents: answer.documents as unknown as FlowDocument[], losses: answer.losses };
}

const COLOURS: Record<string, string> = { blocker: "red", loss: "yellow", note: "gray" };
const NAMES = /`[^`]+`/g;

/** What an import loses, in the person's language: the sentence of its code, and the names that the API's own sentence has. */
function LossAlert({ loss: { code, severity, message, node_id, source } }: { loss: Loss }) {
  const { t, i18n } = useTranslation("losses");
  const [prefix, name] = [
    /^[a-z]+_/.exec(code)?.[0] ?? "",
    code.replace(/^[a-z]+_/, "").replaceAll("_", " "),
  ];
  const key = [code, prefix].find((one) => i18n.exists(one, { ns: "losses" }));
  return (
    <Alert color={COLOURS[severity] ?? "yellow"} p="xs">
      <strong className="build-block">{t(`severity.${severity as "loss"}`)}</strong>
      {key ? t(key as "action_", { name }) : message}{" "}
      {key && (message.match(NAMES) ?? []).map((one) => <code key={one}>{one.slice(1, -1)} </code>)}
      <span className="quiet build-block">{node_id ?? source}</span>
    </Alert>
  );
}

/** Flows of other platforms: what becomes of them, what they lose, and then new drafts. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(["build", "shell"]);
  const client = useQueryClient();
  const navigate = useNavigate();
  const flows = useQuery(flowsQuery());
  const [file, setFile] = useState<File | null>(null);
  const convert = useMutation({ mutationFn: converted });
  const create = useMutation({
    mutationFn: async (documents: FlowDocument[]) => {
      const taken = (flows.data ?? []).map(({ flow_id }) => flow_id);
      const ids = new Map(documents.map(({ id }) => [id, freeId(id, taken)]));
      const renamed = documents.map((document) => ({
        ...document,
        id: ids.get(document.id)!,
        nodes: document.nodes.map((node) => {
          const target = node.type === "jump" ? ids.get(String(node.data["target_flow_id"])) : undefined;
          return target ? { ...node, data: { ...node.data, target_flow_id: target } } : node;
        }),
      }));
      await createAll(renamed);
      return renamed[0]!.id;
    },
    onSuccess: async (id) => {
      await client.invalidateQueries({ queryKey: ["flows"] });
      await navigate(`/build/${id}`);
    },
  });
  return (
    <Dialog opened onClose={onClose} title={t("import.title")} size="lg">
      <div className="build-stack">
        <p className="flush">{t("import.about")}</p>
        <FileInput
          data-autofocus
          accept="application/json,.json"
          label={t("import.file")}
          placeholder={t("import.choose")}
          value={file}
          onChange={(next) => {
            setFile(next);
            if (next) convert.mutate(next);
          }}
        />
        {convert.isError && <Problem error={convert.error} />}
        {convert.data?.documents.map((document) => (
          <p key={document.id} className="flush">
            <strong>{document.name ?? document.id}</strong>{" "}
            {t("import.size", { nodes: document.nodes.length, connections: connections(document) })}
          </p>
        ))}
        {convert.data?.losses.map((loss) => (
          <LossAlert key={`${loss.flow_id} ${loss.node_id} ${loss.code} ${loss.source}`} loss={loss} />
        ))}
        {convert.isSuccess && convert.data.losses.length === 0 && (
          <Alert color="leaf">{t("import.nothingLost")}</Alert>
        )}
        {create.isError && <Problem error={create.error} />}
        <div className="build-dialog-end">
          <Button variant="default" onClick={onClose}>
            {t("shell:cancel")}
          </Button>
          <Button
            disabled={!convert.data?.documents.length || !flows.data}
            loading={create.isPending}
            onClick={() => create.mutate(convert.data!.documents)}
          >
            {t("import.create", { count: convert.data?.documents.length ?? 0 })}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
