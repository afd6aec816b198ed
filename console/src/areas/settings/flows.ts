import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { flowsQuery } from "../../api/flows.ts";

/** The organization's flows as choices, with those of `named` that do not exist, and what keeps a flow from answering. */
export function useFlows(named: readonly (string | null)[] = []) {
  const { t } = useTranslation("settings");
  const flows = useQuery(flowsQuery()).data;
  const known = (id: string) => flows?.find(({ flow_id }) => flow_id === id);
  const gone = flows ? [...new Set(named)].filter((id) => id !== null && !known(id)) : [];
  return {
    nameOf: (id: string) => known(id)?.name ?? id,
    choices: [
      ...(flows ?? []).map(({ flow_id, name, published_version }) => ({
        value: flow_id,
        label: published_version ? name : t("numbers.unpublished", { name }),
      })),
      ...gone.map((id) => ({ value: id!, label: id! })),
    ],
    /** Nothing while the flows are not known. */
    problemOf: (id: string | null): string | undefined => {
      if (!flows || !id) return undefined;
      const flow = known(id);
      if (!flow) return t("numbers.flowGone", { id });
      return flow.published_version ? undefined : t("numbers.flowUnpublished", { name: flow.name });
    },
  };
}
