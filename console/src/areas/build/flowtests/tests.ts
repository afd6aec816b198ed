import { queryOptions } from "@tanstack/react-query";
import { api, got, tagged } from "../../../api/client.ts";
import { ApiError } from "../../../api/errors.ts";
import type { FlowDocument } from "../../../flow/document.ts";
import type { components } from "../../../generated/api.ts";
import type { Inspection } from "../queries.ts";
import { testInputOf, type RehearsalInput } from "../rehearsal/answers.ts";

type Schemas = components["schemas"];
export type TestRun = Schemas["FlowTestRun"];
export type TestFailure = Schemas["FlowTestFailure"];
type Turn = Schemas["RehearsedFlowTurn"];

/** A test as `pytake flow test` reads it; what this page does not write stays as it is. */
export interface FlowTest {
  name: string;
  turns: unknown[];
  [setting: string]: unknown;
}

export interface TestFile {
  conversations: FlowTest[];
  [setting: string]: unknown;
}

/** A finished turn of a rehearsal, with the results of its calls. */
export interface RecordedTurn {
  input: RehearsalInput;
  turn: Turn;
  calls: { mock: string; result: Schemas["CallResult"] }[];
}

const CHANGES = 3;

async function read(flowId: string, complete: "true" | "false", signal?: AbortSignal) {
  const { data, tag } = await tagged(
    api.GET("/api/v1/flows/{flow_id}/tests", {
      ...(signal ? { signal } : {}),
      params: { path: { flow_id: flowId }, query: { complete } },
    }),
  );
  return { file: data as unknown as TestFile, tag };
}

/** The tests of a flow. */
export function testsQuery(flowId: string) {
  return queryOptions({
    queryKey: ["flow-tests", flowId],
    queryFn: async ({ signal }) => (await read(flowId, "false", signal)).file,
  });
}

/** Return the tests as a file for `pytake flow test`, which does not know the organization. */
export async function testFile(flowId: string): Promise<TestFile> {
  return (await read(flowId, "true")).file;
}

/** How the tests go on this document, which need not be saved. */
export function testRunQuery(document: FlowDocument) {
  return queryOptions({
    queryKey: ["flow-test-run", document.id],
    queryFn: ({ signal }) =>
      got(
        api.POST("/api/v1/flows/{flow_id}/tests/run", {
          signal,
          params: { path: { flow_id: document.id } },
          body: { document: document as unknown as Record<string, never>, documents: {} },
        }),
      ),
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
}

/** Change the tests that are stored. A change of another person at the same moment is kept, too. */
export async function changeTests(flowId: string, change: (file: TestFile) => TestFile): Promise<void> {
  for (let left = CHANGES; ; left -= 1) {
    const { file, tag } = await read(flowId, "false");
    try {
      await got(
        api.PUT("/api/v1/flows/{flow_id}/tests", {
          params: { path: { flow_id: flowId }, header: { "if-match": tag } },
          body: change(file) as unknown as Record<string, never>,
        }),
      );
      return;
    } catch (error) {
      if (left <= 1 || !(error instanceof ApiError) || error.status !== 412) throw error;
    }
  }
}

/** Add tests. One whose name is taken gets a number. */
export function withTests(file: TestFile, tests: readonly FlowTest[]): TestFile {
  const conversations = [...file.conversations];
  for (const test of tests) {
    const taken = new Set(conversations.map(({ name }) => name));
    let name = test.name;
    for (let number = 2; taken.has(name); number += 1) name = `${test.name} ${number}`;
    conversations.push({ ...test, name });
  }
  return { ...file, conversations };
}

/** Return the test that expects what a rehearsal showed; with `way` also the nodes and exits. */
export function testOf(
  name: string,
  flowId: string,
  recorded: readonly RecordedTurn[],
  way: boolean,
): FlowTest {
  const mocks: Record<string, unknown[]> = {};
  for (const { mock, result } of recorded.flatMap(({ calls }) => calls)) {
    mocks[mock] = [...(mocks[mock] ?? []), mockOf(result)];
  }
  return {
    name,
    now: recorded[0]?.turn.at,
    ...(Object.keys(mocks).length ? { http_mocks: mocks } : {}),
    turns: recorded.map(({ input, turn }, index) => {
      const before = recorded[index - 1]?.turn;
      const seconds = before ? (Date.parse(turn.at) - Date.parse(before.at)) / 1000 : 0;
      return {
        input: testInputOf(input, before?.timer),
        ...(seconds > 0 ? { after_seconds: seconds } : {}),
        expect: {
          // The apology for a failed turn is the number's, and not the flow's.
          ...(turn.status === "failed" ? {} : { texts: turn.texts }),
          status: turn.status === "human" ? "handoff" : turn.status,
          ...(way ? { path: turn.path.map((step) => wayOf(step, flowId)) } : {}),
        },
      };
    }),
  };
}

function wayOf({ flow_id, node_id, exit }: Schemas["RehearsedStep"], root: string): string {
  return `${flow_id === root ? "" : `${flow_id}/`}${node_id}: ${exit}`;
}

function mockOf({ ok, status, body, error }: Schemas["CallResult"]): unknown {
  if (ok || status) return { status: status ?? 200, json: body ?? null };
  return { error: error ?? "failed" };
}

/** Return what steps light on the canvas: the nodes, and the arrows that they took. */
export function litBy(
  steps: readonly Schemas["RehearsedStep"][],
  inspection: Inspection | undefined,
): Set<string> {
  const fields = new Map(
    (inspection?.completion.nodes ?? []).flatMap(({ node_id, exits }) =>
      exits.map(({ exit, field }) => [`${node_id}|${exit}`, field] as const),
    ),
  );
  return new Set(
    steps.flatMap(({ node_id, exit }) => {
      const field = fields.get(`${node_id}|${exit}`);
      return field ? [node_id, `${node_id}|${field}`] : [node_id];
    }),
  );
}
