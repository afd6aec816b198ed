import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { flowsQuery } from "../../api/flows.ts";
import { numbersQuery } from "../../api/numbers.ts";
import { segmentsQuery } from "../../api/segments.ts";
import { moment } from "../../i18n/format.ts";
import type { Campaign } from "./queries.ts";

/** What a campaign sends to whom, where its form does not say so: it has started, or the person may only look. */
export function Sent({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation("campaigns");
  const { phone_number_id, segment_id, flow_id, template, variants, started_at } = campaign;
  const numbers = useQuery(numbersQuery());
  const segments = useQuery(segmentsQuery());
  const flows = useQuery(flowsQuery());
  const number = numbers.data?.find((one) => one.phone_number_id === phone_number_id);
  const messages = [template, ...(variants ?? []).map((variant) => variant.template ?? template)];
  const facts: [string, string | null | undefined][] = [
    [t("number"), number?.display_phone_number ?? phone_number_id],
    [t("segment"), segments.data?.find(({ id }) => id === segment_id)?.name ?? segment_id],
    [t("message"), [...new Set(messages.map(({ name, language }) => `${name} · ${language}`))].join(", ")],
    [t("flow"), flows.data?.find((one) => one.flow_id === flow_id)?.name ?? flow_id],
    [t("started"), started_at && moment(started_at)],
  ];
  return (
    <dl className="campaign-sent">
      {facts.map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt className="quiet">{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
