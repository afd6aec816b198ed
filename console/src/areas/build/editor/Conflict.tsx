import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { api, tagged } from "../../../api/client.ts";
import type { FlowDocument } from "../../../flow/document.ts";
import { Problem } from "../../../ui/Problem.tsx";
import { duplicateFlow, saveDraft } from "../queries.ts";
import { Dialog } from "../../../ui/Dialog.tsx";

interface ConflictProps {
  document: FlowDocument;
  /** Save over the draft with this tag. */
  onOverwrite: (tag: string) => Promise<void>;
  onTakeTheirs: () => void;
}

/** Someone else saved the draft meanwhile. Each way out keeps both drafts, or says whose is given up. */
export function Conflict({ document, onOverwrite, onTakeTheirs }: ConflictProps) {
  const { t } = useTranslation("build");
  const navigate = useNavigate();
  const overwrite = useMutation({
    mutationFn: async () => {
      const theirs = await tagged(
        api.GET("/api/v1/flows/{flow_id}", { params: { path: { flow_id: document.id } } }),
      );
      await onOverwrite(theirs.tag);
    },
  });
  /** Their draft with the flow's tests under another id, which gets this draft. It stays the same when a try fails. */
  const made = useRef<{ id: string; tag: string }>(undefined);
  const copy = useMutation({
    mutationFn: async () => {
      if (!made.current) {
        const flow_id = `${document.id.slice(0, 50)}_${Date.now().toString(36)}`;
        made.current = { id: flow_id, tag: await duplicateFlow(document.id, { flow_id }) };
      }
      const { id, tag } = made.current;
      const name = t("conflict.copyName", { name: document.name ?? document.id });
      await saveDraft({ ...document, id, name }, tag);
      return id;
    },
    onSuccess: (id) => {
      onTakeTheirs();
      return navigate(`/build/${id}`);
    },
  });
  return (
    <Dialog opened onClose={() => undefined} withCloseButton={false} title={t("conflict.title")}>
      <p className="flush">{t("conflict.text")}</p>
      {(overwrite.error ?? copy.error) && <Problem error={overwrite.error ?? copy.error} />}
      <div className="build-stack">
        <Button loading={copy.isPending} onClick={() => copy.mutate()}>
          {t("conflict.copy")}
        </Button>
        <Button variant="default" onClick={onTakeTheirs}>
          {t("conflict.theirs")}
        </Button>
        <Button
          variant="outline"
          color="red"
          loading={overwrite.isPending}
          onClick={() => overwrite.mutate()}
        >
          {t("conflict.mine")}
        </Button>
      </div>
    </Dialog>
  );
}
