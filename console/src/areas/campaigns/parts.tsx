import { NativeSelect, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { flowsQuery } from "../../api/flows.ts";
import { numbersQuery } from "../../api/numbers.ts";

interface FieldProps {
  value: string;
  onChange: (value: string) => void;
}

/** Which number writes. */
export function NumberField({ value, onChange }: FieldProps) {
  const { t } = useTranslation("campaigns");
  const numbers = useQuery(numbersQuery());
  return (
    <NativeSelect
      label={t("number")}
      {...(numbers.data?.length === 0 && { description: t("noNumber") })}
      required
      value={value}
      data={[
        { value: "", label: "" },
        ...(numbers.data ?? []).map(({ phone_number_id, display_phone_number }) => ({
          value: phone_number_id,
          label: display_phone_number,
        })),
      ]}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** A published flow, or none. */
export function FlowField({ value, onChange, label, about }: FieldProps & { label: string; about: string }) {
  const flows = useQuery(flowsQuery());
  return (
    <Select
      label={label}
      description={about}
      clearable
      searchable
      value={value || null}
      data={(flows.data ?? [])
        .filter(({ published_version }) => published_version)
        .map(({ flow_id, name }) => ({ value: flow_id, label: name }))}
      onChange={(flow) => onChange(flow ?? "")}
    />
  );
}
