import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, got } from "../../api/client.ts";
import { ApiError } from "../../api/errors.ts";
import type { FlowDocument } from "../../flow/document.ts";
import type { components } from "../../generated/api.ts";
import type { Period } from "./period.ts";

type Schemas = components["schemas"];
export type Report = Schemas["FlowReportResponse"];
export type Heatmap = Schemas["HeatmapResponse"];
export type Activity = Schemas["DailyActivityResponse"];
export type Segments = Schemas["UserSegmentsResponse"];
export type Answers = Schemas["AnswersResponse"];
export type Spending = Schemas["SpendingResponse"];
export type Amounts = Schemas["Spending"];
export type Budget = Schemas["BudgetResponse"];
export type Experiments = Schemas["ExperimentsResponse"];
export type Experiment = Schemas["NodeExperiment"];
export type SavedQuery = Schemas["SavedQuery"];
export type QueryRows = Schemas["QueryRows"];
export type QueryValues = NonNullable<Schemas["QueryRequest"]["parameters"]>;

/** What is measured: a flow, in a period. */
export interface Asked {
  flow: string;
  period: Period;
}

const PREPARING_MILLISECONDS = 5_000;
const PREPARING_TRIES = 24;

/** A report that takes longer than a request continues at the server: it is asked for again. */
const patient = {
  retry: (failures: number, error: Error) =>
    error instanceof ApiError && error.code === "report_not_ready" && failures < PREPARING_TRIES,
  retryDelay: PREPARING_MILLISECONDS,
  staleTime: 60_000,
};

function at({ flow, period }: Asked) {
  return { path: { flow_id: flow }, query: period };
}

const FLOW = "/api/v1/whatsapp-analytics/flows/{flow_id}";

export function reportQuery(asked: Asked) {
  return queryOptions({
    queryKey: ["report", asked],
    queryFn: ({ signal }) => got(api.GET(`${FLOW}/report`, { params: at(asked), signal })),
    ...patient,
  });
}

export function heatmapQuery(asked: Asked) {
  return queryOptions({
    queryKey: ["heatmap", asked],
    queryFn: ({ signal }) => got(api.GET(`${FLOW}/nodes-heatmap`, { params: at(asked), signal })),
    ...patient,
  });
}

export function activityQuery(asked: Asked) {
  return queryOptions({
    queryKey: ["activity", asked],
    queryFn: ({ signal }) => got(api.GET(`${FLOW}/daily-activity`, { params: at(asked), signal })),
    ...patient,
  });
}

export function segmentsQuery(asked: Asked) {
  return queryOptions({
    queryKey: ["segments", asked],
    queryFn: ({ signal }) => got(api.GET(`${FLOW}/user-segments`, { params: at(asked), signal })),
    ...patient,
  });
}

const ANSWERS = "/api/v1/flows/{flow_id}/answers";

/** What people answered, the latest conversations first; `value` finds a text in the answers. */
export function answersQuery(asked: Asked, value: string) {
  return infiniteQueryOptions({
    queryKey: ["answers", asked, value],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = { ...asked.period, value: value || undefined, cursor: pageParam };
      const params = { path: { flow_id: asked.flow }, query };
      return got(api.GET(ANSWERS, { params, signal })) as Promise<Answers>; // JSON, as no other was asked for
    },
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    ...patient,
  });
}

const CSV = { headers: { accept: "text/csv" }, parseAs: "blob" } as const;

/** The whole table as a file. */
export function answersFile(asked: Asked, value: string): Promise<Blob> {
  const query = { ...asked.period, value: value || undefined };
  const params = { path: { flow_id: asked.flow }, query };
  return got(api.GET(ANSWERS, { params, ...CSV })) as Promise<Blob>;
}

/** What the messages of all flows cost. */
export function spendingQuery(period: Period) {
  return queryOptions({
    queryKey: ["spending", period],
    queryFn: ({ signal }) =>
      got(api.GET("/api/v1/reports/spending", { params: { query: period }, signal })) as Promise<Spending>,
    ...patient,
  });
}

/** The spending as a file. */
export function spendingFile(period: Period): Promise<Blob> {
  const params = { query: period };
  return got(api.GET("/api/v1/reports/spending", { params, ...CSV })) as Promise<Blob>;
}

/** The organization's budget of this month. */
export function budgetQuery() {
  return queryOptions({
    queryKey: ["budget"],
    queryFn: ({ signal }) => got(api.GET("/api/v1/reports/budget", { signal })),
  });
}

/** The paths of a flow's random nodes, compared by a goal. */
export function experimentsQuery({ flow, period }: Asked, goal: string, smallest_effect: number) {
  return queryOptions({
    queryKey: ["experiments", flow, period, goal, smallest_effect],
    queryFn: ({ signal }) => {
      const params = { path: { flow_id: flow }, query: { ...period, goal, smallest_effect } };
      return got(api.GET("/api/v1/flows/{flow_id}/experiments", { params, signal }));
    },
    ...patient,
  });
}

export function savedQueriesQuery() {
  return queryOptions({
    queryKey: ["saved-queries"],
    queryFn: ({ signal }) => got(api.GET("/api/v1/queries", { signal })),
    staleTime: Infinity,
  });
}

/** A flow's draft. */
export function documentQuery(flow_id: string) {
  return queryOptions({
    queryKey: ["measured-flow", flow_id],
    queryFn: async ({ signal }) => {
      const found = await got(api.GET("/api/v1/flows/{flow_id}", { params: { path: { flow_id } }, signal }));
      return found.document as unknown as FlowDocument;
    },
    staleTime: 60_000,
  });
}

/** The ids of its nodes. */
export function nodeIdsQuery(flow_id: string) {
  return queryOptions({
    ...documentQuery(flow_id),
    select: ({ nodes }) => nodes.map(({ id }) => id),
    enabled: flow_id !== "",
  });
}

interface Question {
  name: string;
  from: string;
  to: string;
  parameters: QueryValues;
}

function question({ name, from, to, parameters }: Question) {
  return { params: { path: { query_name: name } }, body: { from, to, parameters } };
}

/** Ask a saved query. */
export function askQuery(asked: Question): Promise<QueryRows> {
  return got(api.POST("/api/v1/queries/{query_name}", question(asked))) as Promise<QueryRows>;
}

/** Its rows as a file. */
export function queryFile(asked: Question): Promise<Blob> {
  return got(api.POST("/api/v1/queries/{query_name}", { ...question(asked), ...CSV })) as Promise<Blob>;
}
