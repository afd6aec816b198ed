import { Button, NativeSelect, NumberInput, Skeleton, Table, TagsInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../../ui/Problem.tsx";
import { Download } from "./Download.tsx";
import { rangeOf, utcDay, type Period } from "./period.ts";
import {
  askQuery,
  queryFile,
  savedQueriesQuery,
  type QueryRows,
  type QueryValues,
  type SavedQuery,
} from "./queries.ts";

type Flows = readonly { flow_id: string; name: string }[];

/** The queries that the product has saved, with a form for their parameters. */
export function SavedQueries({ flows, period }: { flows: Flows; period: Period }) {
  const { t } = useTranslation("measure");
  const queries = useQuery(savedQueriesQuery());
  const [name, setName] = useState<string>();
  const chosen = queries.data?.find((one) => one.name === name) ?? queries.data?.[0];
  return (
    <>
      {queries.isError && <Problem error={queries.error} again={() => void queries.refetch()} />}
      {queries.isPending && <Skeleton height={160} />}
      {chosen && (
        <>
          <NativeSelect
            label={t("queries.name")}
            className="measure-query"
            value={chosen.name}
            data={(queries.data ?? []).map((one) => one.name)}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Asking key={chosen.name} query={chosen} flows={flows} period={period} />
        </>
      )}
    </>
  );
}

function Asking({ query, flows, period }: { query: SavedQuery; flows: Flows; period: Period }) {
  const { t } = useTranslation("measure");
  const [values, setValues] = useState<QueryValues>(() =>
    Object.fromEntries(
      query.parameters.flatMap(({ name, type, default: standard }): [string, string | number][] => {
        if (standard !== null) return [[name, standard]];
        return type === "flow" && flows[0] ? [[name, flows[0].flow_id]] : [];
      }),
    ),
  );
  const asking = useMutation({ mutationFn: askQuery });
  const asked = () => ({ name: query.name, ...rangeOf(period, utcDay(Date.now())), parameters: values });
  return (
    <>
      <p className="quiet">{query.description}</p>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          asking.mutate(asked());
        }}
      >
        {query.parameters.map((parameter) => (
          <Parameter
            key={parameter.name}
            parameter={parameter}
            flows={flows}
            value={values[parameter.name]}
            onChange={(value) => setValues({ ...values, [parameter.name]: value })}
          />
        ))}
        <div className="measure-line">
          <Button type="submit" loading={asking.isPending}>
            {t("queries.ask")}
          </Button>
          <Download name={`${query.name}.csv`} file={() => queryFile(asked())} />
        </div>
      </form>
      {asking.isError && <Problem error={asking.error} />}
      {asking.data && <Result result={asking.data} />}
    </>
  );
}

interface ParameterProps {
  parameter: SavedQuery["parameters"][number];
  flows: Flows;
  value: QueryValues[string] | undefined;
  onChange: (value: QueryValues[string]) => void;
}

function Parameter({ parameter, flows, value, onChange }: ParameterProps) {
  const { name, type, description } = parameter;
  const texts = { label: name, description, required: parameter.default === null };
  if (type === "hours")
    return (
      <NumberInput {...texts} min={1} value={Number(value)} onChange={(next) => onChange(Number(next))} />
    );
  if (type === "nodes")
    return (
      <TagsInput {...texts} value={Array.isArray(value) ? value : []} acceptValueOnBlur onChange={onChange} />
    );
  if (type === "flow")
    return (
      <NativeSelect
        {...texts}
        value={String(value ?? "")}
        data={flows.map(({ flow_id, name: label }) => ({ value: flow_id, label }))}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    );
  return (
    <TextInput
      {...texts}
      value={String(value ?? "")}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function Result({ result }: { result: QueryRows }) {
  const { t } = useTranslation("measure");
  if (result.rows.length === 0) return <output>{t("queries.none")}</output>;
  const numbered = result.rows.map((row, place) => ({ row, id: `row ${place}` }));
  return (
    <>
      <Table className="measure-table" verticalSpacing="xs" mt="md">
        <Table.Thead>
          <Table.Tr>
            {result.columns.map((column) => (
              <Table.Th key={column}>{column}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {numbered.map(({ row, id }) => (
            <Table.Tr key={id}>
              {result.columns.map((column) => (
                <Table.Td key={column}>{row[column]}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {result.truncated && <p className="quiet">{t("queries.truncated")}</p>}
    </>
  );
}
