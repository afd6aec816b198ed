import { Autocomplete, TagsInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { FlowSummary } from "../../../api/flows.ts";
import { Form } from "../../../ui/Form.tsx";
import { SaveBar } from "../../../ui/SaveBar.tsx";
import { fileFlow } from "../queries.ts";
import { Dialog } from "../../../ui/Dialog.tsx";

interface FilingDialogProps {
  flow: FlowSummary;
  /** The folders and tags of other flows, to choose from. */
  folders: string[];
  tags: string[];
  onClose: () => void;
}

/** Puts a flow into a folder, and tags it. */
export function FilingDialog({ flow, folders, tags, onClose }: FilingDialogProps) {
  const { t } = useTranslation("build");
  const client = useQueryClient();
  const [filing, setFiling] = useState({ folder: flow.folder ?? "", tags: flow.tags });
  const saving = useMutation({
    mutationFn: () => fileFlow(flow, { folder: filing.folder.trim() || null, tags: filing.tags }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["flows"] });
      onClose();
    },
  });
  return (
    <Dialog opened onClose={onClose} title={flow.name} centered>
      <Form onSubmit={() => saving.mutate()}>
        <Autocomplete
          label={t("flows.folder")}
          maxLength={64}
          data={folders}
          value={filing.folder}
          onChange={(folder) => setFiling({ ...filing, folder })}
        />
        <TagsInput
          label={t("flows.tags")}
          maxTags={20}
          data={tags}
          acceptValueOnBlur
          value={filing.tags}
          onChange={(changed) => setFiling({ ...filing, tags: changed })}
        />
        <SaveBar saving={saving} />
      </Form>
    </Dialog>
  );
}
