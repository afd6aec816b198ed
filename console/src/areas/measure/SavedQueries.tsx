import { Autocomplete, Button, NativeSelect, NumberInput, Skeleton, Table, TagsInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { count, percent } from "../../i18n/format.ts";
import { Form } from "../../ui/Form.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { Download } from "./Download.tsx";
import { rangeOf, utcDay, type Period } from "./period.ts";
import {
  askQuery,
  nodeIdsQuery,
  queryFile,
  savedQueriesQuery,
  type QueryRows,
  type QueryValues,
  type SavedQuery,
} from "./queries.ts";

type Parameters = SavedQuery["parameters"];
type Flows = readonly { flow_id: string; name: string }[];

const SHARE = /^(share|rate|difference|first_contact)/;
const NUMBER =
  /_seconds$|^(conversations|reached|given_up|completed_without_a_person|resolved|step|answers)$/;

/** What queries, their parameters and their columns are called. A test compares the words with the queries of the API. */
function useTexts() {
  const { t, i18n } = useTranslation("measure");
  const said = (key: string, otherwise: string) =>
    i18n.exists(key, { ns: "measure" }) ? t(key as "title") : otherwise;
  return {
    title: (name: string) => said(`saved.${name}.title`, name),
    about: ({ name, description }: SavedQuery) => said(`saved.${name}.about`, description),
    parameter: ({ name, description }: Parameters[number]) => ({
      label: said(`parameter.${name}.label`, name),
      description: said(`parameter.${name}.about`, description),
    }),
    column: (name: string) => said(`column.${name}`, name),
    value: (column: string, value: string | null | undefined) => {
      if (value == null) return "–";
      if (SHARE.test(column)) return percent(Number(value));
      if (NUMBER.test(column)) return count(Number(value));
      return column === "who" || column === "differs" ? said(`value.${value}`, value) : value;
    },
  };
}

/** The queries that the product has saved, with a form for their parameters. */
export function SavedQueries({ flows, period }: { flows: Flows; period: Period }) {
  const { t } = useTranslation("measure");
  const queries = useQuery(savedQueriesQuery());
  const texts = useTexts();
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
            data={(queries.data ?? []).map(({ name: value }) => ({ value, label: texts.title(value) }))}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Asking key={chosen.name} query={chosen} flows={flows} period={period} />
        </>
      )}
    </>
  );
}

/** The values before anything is chosen: the query's own, and the first flow. The flows may be known later than the query. */
function standardOf({ parameters }: SavedQuery, flows: Flows): QueryValues {
  return Object.fromEntries(
    parameters.flatMap(({ name, type, default: standard }): [string, string | number][] => {
      if (standard !== null) return [[name, standard]];
      return type === "flow" && flows[0] ? [[name, flows[0].flow_id]] : [];
    }),
  );
}

function Asking({ query, flows, period }: { query: SavedQuery; flows: Flows; period: Period }) {
  const { t } = useTranslation("measure");
  const texts = useTexts();
  const [chosen, setChosen] = useState<QueryValues>({});
  const values = { ...standardOf(query, flows), ...chosen };
  const nodes = useQuery(nodeIdsQuery(String(values["flow_id"] ?? "")));
  const asking = useMutation({ mutationFn: askQuery });
  const asked = () => ({ name: query.name, ...rangeOf(period, utcDay(Date.now())), parameters: values });
  return (
    <>
      <p className="quiet">
        {texts.about(query)} {t("queries.days")}
      </p>
      <Form onSubmit={() => asking.mutate(asked())}>
        {query.parameters.map((parameter) => (
          <Parameter
            key={parameter.name}
            parameter={parameter}
            flows={flows}
            nodes={nodes.data ?? []}
            value={values[parameter.name]}
            onChange={(value) => setChosen({ ...chosen, [parameter.name]: value })}
          />
        ))}
        <div className="measure-line">
          <Button type="submit" loading={asking.isPending}>
            {t("queries.ask")}
          </Button>
          <Download name={`${query.name}.csv`} file={() => queryFile(asked())} />
        </div>
      </Form>
      {asking.isError && <Problem error={asking.error} />}
      {asking.data && <Result result={asking.data} />}
    </>
  );
}

interface ParameterProps {
  parameter: Parameters[number];
  flows: Flows;
  /** The ids of the nodes of the chosen flow. */
  nodes: string[];
  value: QueryValues[string] | undefined;
  onChange: (value: QueryValues[string]) => void;
}

function Parameter({ parameter, flows, nodes, value, onChange }: ParameterProps) {
  const { type } = parameter;
  const texts = { ...useTexts().parameter(parameter), required: parameter.default === null };
  if (type === "hours")
    return (
      <NumberInput {...texts} min={1} value={Number(value)} onChange={(next) => onChange(Number(next))} />
    );
  if (type === "nodes")
    return (
      <TagsInput
        {...texts}
        data={nodes}
        value={Array.isArray(value) ? value : []}
        acceptValueOnBlur
        onChange={onChange}
      />
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
    <Autocomplete
      {...texts}
      data={type === "goal" ? ["completed", ...nodes] : nodes}
      value={String(value ?? "")}
      onChange={onChange}
    />
  );
}

function Result({ result }: { result: QueryRows }) {
  const { t } = useTranslation("measure");
  const texts = useTexts();
  if (result.rows.length === 0) return <output>{t("queries.none")}</output>;
  const numbered = result.rows.map((row, place) => ({ row, id: `row ${place}` }));
  return (
    <>
      <Table className="measure-table" verticalSpacing="xs" mt="md">
        <Table.Thead>
          <Table.Tr>
            {result.columns.map((column) => (
              <Table.Th key={column}>{texts.column(column)}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {numbered.map(({ row, id }) => (
            <Table.Tr key={id}>
              {result.columns.map((column) => (
                <Table.Td key={column}>{texts.value(column, row[column])}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {result.truncated && <p className="quiet">{t("queries.truncated")}</p>}
    </>
  );
}
