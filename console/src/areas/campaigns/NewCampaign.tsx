import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { Page } from "../../ui/Page.tsx";
import { CampaignForm } from "./CampaignForm.tsx";
import { putCampaign, type CampaignSettings } from "./queries.ts";

/** A new campaign. It stays a draft until it is started. */
export function NewCampaign() {
  const { t } = useTranslation("campaigns");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [id] = useState(() => crypto.randomUUID()); // a repeated save is the same campaign
  const saving = useMutation({
    mutationFn: async (settings: CampaignSettings) => {
      await putCampaign(id, settings);
    },
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["campaigns"] });
      await navigate(`/campaigns/${id}`);
    },
  });
  return (
    <Page title={t("new")}>
      <CampaignForm saving={saving} />
    </Page>
  );
}
