import { useTranslation } from "react-i18next";
import { SubNav } from "../../ui/SubNav.tsx";
import { mayWrite } from "./CampaignList.tsx";

/** Campaigns, with a line of the area's pages. Analysts look at campaigns only. */
export function CampaignArea() {
  const { t } = useTranslation("campaigns");
  const campaigns = { to: "/campaigns", name: t("title"), end: true };
  const sequences = { to: "/campaigns/sequences", name: t("sequences.title") };
  return <SubNav label={t("pages")} pages={mayWrite() ? [campaigns, sequences] : [campaigns]} />;
}
