import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { answers, expectAccessible, show, signInAs, words } from "../../../testing/render.tsx";
import { ReactFlowProvider } from "@xyflow/react";
import { EditorProvider, type Editor } from "../editor/state.tsx";
import type { Inspection } from "../queries.ts";
import { Rehearsal } from "../rehearsal/Rehearsal.tsx";
import { PublishTests } from "./PublishTests.tsx";
import { Replay } from "./Replay.tsx";
import { SaveTest } from "./SaveTest.tsx";
import { litBy, testOf, withTests, type RecordedTurn } from "./tests.ts";
import { TestsPanel } from "./TestsPanel.tsx";
import { firstDifference } from "./useFailureText.ts";

const TESTS = "/api/v1/flows/clinic/tests";

function turnOf(change: object): RecordedTurn["turn"] {
  return {
    at: "2026-11-30T10:00:00Z",
    status: "waiting",
    texts: ["Olá!"],
    path: [],
    timer: null,
    ...change,
  } as unknown as RecordedTurn["turn"];
}

const RECORDED: readonly RecordedTurn[] = [
  {
    input: { type: "text", text: "oi" },
    turn: turnOf({
      path: [
        { flow_id: "clinic", node_id: "start", exit: "next" },
        { flow_id: "address", node_id: "street", exit: "wait" },
      ],
      timer: { due_at: "2026-11-30T12:00:00Z", kind: "resume" },
    }),
    calls: [
      { mock: "GET https://x.example/a", result: { ok: true, status: 200, body: { id: 1 } as never } },
      { mock: "GET https://x.example/a", result: { ok: false, status: 500, error: "http_500" } },
      { mock: "ai:m", result: { ok: false, status: null, error: "rehearsal" } },
    ],
  },
  {
    input: { type: "timer" },
    turn: turnOf({ at: "2026-11-30T12:00:00Z", texts: ["Ainda aí?", "[Sim]"] }),
    calls: [],
  },
  {
    input: { type: "reply", reply_id: "yes", text: "Sim" },
    turn: turnOf({ at: "2026-11-30T12:00:05Z", texts: [], status: "human" }),
    calls: [],
  },
  {
    input: { type: "text", text: "x" },
    turn: turnOf({ at: "2026-11-30T12:00:05Z", status: "failed" }),
    calls: [],
  },
];

test("a rehearsal becomes a test in the form of the command", () => {
  expect(testOf("Endereço", "clinic", RECORDED, false)).toEqual({
    name: "Endereço",
    now: "2026-11-30T10:00:00Z",
    http_mocks: {
      "GET https://x.example/a": [
        { status: 200, json: { id: 1 } },
        { status: 500, json: null },
      ],
      "ai:m": [{ error: "rehearsal" }],
    },
    turns: [
      { input: "oi", expect: { texts: ["Olá!"], status: "waiting" } },
      {
        input: { type: "resume" },
        after_seconds: 7200,
        expect: { texts: ["Ainda aí?", "[Sim]"], status: "waiting" },
      },
      { input: { reply_id: "yes", text: "Sim" }, after_seconds: 5, expect: { texts: [], status: "handoff" } },
      { input: "x", expect: { status: "failed" } },
    ],
  });
  const [first] = testOf("x", "clinic", RECORDED, true).turns as { expect: { path: string[] } }[];
  expect(first!.expect.path).toEqual(["start: next", "address/street: wait"]);
});

test("a test whose name is taken gets a number", () => {
  const file = { flow: "clinic", conversations: [{ name: "A", turns: [] }] };
  const after = withTests(file, [
    { name: "A", turns: [] },
    { name: "A", turns: [] },
  ]);
  expect(after.conversations.map(({ name }) => name)).toEqual(["A", "A 2", "A 3"]);
});

test("the first entries that differ are found, also where one list ends", () => {
  expect(firstDifference(["a", "b"], ["a", "c"])).toEqual(["b", "c"]);
  expect(firstDifference(["a"], ["a", "c"])).toEqual([undefined, "c"]);
  expect(firstDifference(["a", "b"], ["a"])).toEqual(["b", undefined]);
});

const INSPECTION = {
  publishable: true,
  problems: [],
  completion: {
    variables: [],
    nodes: [
      {
        flow_id: "clinic",
        node_id: "menu",
        type: "message",
        waits: true,
        exits: [{ exit: "button:yes", target: "end", field: "buttons[0].next_node_id" }],
      },
    ],
  },
} as unknown as Inspection;

test("steps light their nodes and the arrows that they took", () => {
  const steps = [
    { flow_id: "clinic", node_id: "menu", exit: "button:yes" },
    { flow_id: "clinic", node_id: "end", exit: "end" },
  ];
  expect([...litBy(steps, INSPECTION)]).toEqual(["menu", "menu|buttons[0].next_node_id", "end"]);
});

const light = vi.fn<Editor["light"]>();
const select = vi.fn<Editor["select"]>();

function inEditor(element: React.ReactNode) {
  const editor = {
    document: {
      id: "clinic",
      name: "Clínica",
      nodes: [
        { id: "menu", type: "message", label: "Menu", data: {} },
        { id: "end", type: "end", data: {} },
      ],
    },
    selected: [],
    inspection: INSPECTION,
    findings: new Map(),
    lit: new Set(),
    edit: () => undefined,
    select,
    light,
  } as unknown as Editor;
  return show([{ index: true, element: <EditorProvider value={editor}>{element}</EditorProvider> }]);
}

const FILE = {
  flow: "clinic",
  conversations: [
    { name: "Marca consulta", turns: [] },
    { name: "Desiste", turns: [] },
    { name: "Espera", turns: [] },
  ],
};

const RUN = {
  passed: 1,
  failed: 2,
  not_run: 0,
  results: [
    {
      name: "Marca consulta",
      outcome: "failed",
      failures: [
        {
          turn: 2,
          input: { reply_id: "yes", text: "Sim" },
          node_id: "end",
          part: "texts",
          expected: ["Marcado."],
          actual: ["Até logo."],
        },
      ],
    },
    { name: "Desiste", outcome: "passed", failures: [] },
    {
      name: "Espera",
      outcome: "failed",
      failures: [
        {
          turn: 1,
          input: { type: "timeout" },
          node_id: null,
          part: "variables",
          expected: { nome: "Ana" },
          actual: { nome: null },
        },
      ],
    },
  ],
  coverage: [{ flow_id: "clinic", nodes: 2, nodes_covered: 1, exits: 2, exits_covered: 1 }],
  taken: [{ flow_id: "clinic", node_id: "menu", exit: "button:yes" }],
  missing: [{ flow_id: "clinic", node_id: "menu", exit: "stale" }],
};

function tests(change: object = {}) {
  const given = answers({
    [`GET ${TESTS}`]: Response.json(FILE, { headers: { etag: '"3"' } }),
    [`POST ${TESTS}/run`]: RUN,
    [`PUT ${TESTS}`]: FILE,
    ...change,
  });
  vi.stubGlobal("fetch", given.fetch);
  return given.asked;
}

beforeEach(async () => {
  await words("pt", "build", "findings");
  signInAs("builder");
  light.mockClear();
});

test("the panel says in words what differs first, and lights what the tests take", async () => {
  const asked = tests();
  const { container } = inEditor(<TestsPanel onRehearse={() => undefined} />);
  expect(await screen.findByText("1 de 3 testes passam.")).toBeVisible();
  expect(
    screen.getByText(/Depois de “Sim”, o bot deveria dizer “Marcado.”, mas diz “Até logo.”/),
  ).toBeVisible();
  expect(screen.getByText(/Depois da espera, o que foi coletado não é como esperado/)).toBeVisible();
  expect(screen.getByText("Os testes passam por 1 de 2 passos e 1 de 2 saídas")).toBeVisible();
  await waitFor(() =>
    expect(light.mock.lastCall?.[0]).toEqual(new Set(["menu", "menu|buttons[0].next_node_id"])),
  );
  expect(asked.find(({ key }) => key.endsWith("/run"))?.body).toMatchObject({ document: { id: "clinic" } });
  await userEvent.click(screen.getByText(/Os testes passam por/));
  await userEvent.click(screen.getByRole("button", { name: "Menu: saída stale sem teste" }));
  expect(select).toHaveBeenLastCalledWith(["menu"]);
  await expectAccessible(container);
});

test("a test is deleted after a question, over the tests that were read", async () => {
  const asked = tests();
  inEditor(<TestsPanel onRehearse={() => undefined} />);
  await userEvent.click(await screen.findByRole("button", { name: "Apagar o teste Desiste" }));
  await userEvent.click(await screen.findByRole("button", { name: "Apagar" }));
  await waitFor(() => expect(asked.some(({ key }) => key === `PUT ${TESTS}`)).toBe(true));
  const put = asked.find(({ key }) => key === `PUT ${TESTS}`)!;
  expect(put.headers.get("if-match")).toBe('"3"');
  expect(put.body).toMatchObject({ conversations: [{ name: "Marca consulta" }, { name: "Espera" }] });
});

test("a rehearsal is saved beside the tests that another person has just added", async () => {
  const refused = Response.json({ code: "flow_tests_changed" }, { status: 412 });
  let puts = 0;
  const asked = tests();
  const fetch = globalThis.fetch;
  vi.stubGlobal("fetch", (request: Request) => {
    if (request.method !== "PUT") return fetch(request);
    puts += 1;
    return puts === 1 ? Promise.resolve(refused) : fetch(request);
  });
  const closed = vi.fn<() => void>();
  inEditor(<SaveTest recorded={RECORDED.slice(0, 1)} onClose={closed} />);
  await userEvent.type(await screen.findByRole("textbox", { name: "Nome do teste" }), "Desiste{Enter}");
  await waitFor(() => expect(closed).toHaveBeenCalled());
  const put = asked.find(({ key }) => key === `PUT ${TESTS}`)!;
  expect((put.body as typeof FILE).conversations.map(({ name }) => name)).toEqual([
    "Marca consulta",
    "Desiste",
    "Espera",
    "Desiste 2",
  ]);
});

test("publishing warns of tests that fail", async () => {
  tests();
  inEditor(<PublishTests enabled />);
  const warning = await screen.findByRole("alert");
  expect(warning).toHaveTextContent("2 testes falham com este rascunho");
  expect(warning).toHaveTextContent("Marca consulta Depois de “Sim”");
});

test("a flow without tests leads to the rehearsal, and asks for no run", async () => {
  const asked = tests({ [`GET ${TESTS}`]: { flow: "clinic", conversations: [] } });
  const rehearse = vi.fn<() => void>();
  inEditor(<TestsPanel onRehearse={rehearse} />);
  await userEvent.click(await screen.findByRole("button", { name: "Ensaiar" }));
  expect(rehearse).toHaveBeenCalled();
  expect(asked.some(({ key }) => key.endsWith("/run"))).toBe(false);
});

test("a rehearsal begins at the chosen time, skips a wait, and is recorded with its times", async () => {
  vi.spyOn(Date, "now").mockReturnValue(Date.parse("2026-11-30T08:00:00.700Z"));
  Element.prototype.scrollIntoView = () => undefined;
  const begins = new Date("2026-12-24T22:00");
  const due = new Date(begins.getTime() + 7200_000).toISOString();
  const turn = {
    rehearsal: { turns: 1 },
    node_id: "menu",
    messages: [],
    texts: ["Olá!"],
    path: [{ flow_id: "clinic", node_id: "menu", exit: "wait" }],
    events: [],
    variables: {},
    effect: null,
    status: "waiting",
    at: begins.toISOString(),
    timer: { due_at: due, kind: "timeout" },
  };
  const asked = tests({ "POST /api/v1/flows/rehearse": turn });
  inEditor(
    <ReactFlowProvider>
      <Rehearsal />
    </ReactFlowProvider>,
  );
  expect(screen.getByRole("button", { name: "Guardar como teste" })).toBeDisabled();
  fireEvent.change(screen.getByLabelText(/Começa em/), { target: { value: "2026-12-24T22:00" } });
  await userEvent.type(screen.getByRole("textbox", { name: "Mensagem" }), "oi{Enter}");
  await userEvent.click(await screen.findByRole("button", { name: /Pular a espera/ }));
  await screen.findByText("Caminho: 1 passo");
  const nows = () =>
    asked.filter(({ key }) => key.endsWith("/rehearse")).map(({ body }) => (body as { now: string }).now);
  await waitFor(() => expect(nows()).toEqual([begins.toISOString(), due]));
  await userEvent.click(screen.getByRole("button", { name: "Guardar como teste" }));
  await userEvent.type(await screen.findByRole("textbox", { name: "Nome do teste" }), "Natal{Enter}");
  await waitFor(() => expect(asked.some(({ key }) => key.startsWith("PUT"))).toBe(true));
  const put = asked.find(({ key }) => key.startsWith("PUT"))!.body as typeof FILE;
  expect(put.conversations.at(-1)).toMatchObject({
    name: "Natal",
    now: begins.toISOString(),
    turns: [{ input: "oi" }, { input: { type: "timeout" } }],
  });
});

const REPLAY = {
  same: 40,
  different: 2,
  blocked: 1,
  complete: false,
  differences: [
    {
      number: 1,
      at: "2026-11-28T10:00:00Z",
      turn: 2,
      node_id: "menu",
      part: "messages",
      recorded: ["Olá!", "Qual dia?"],
      now: ["Olá!", "Que dia?"],
    },
    {
      number: 2,
      at: "2026-11-28T11:00:00Z",
      turn: 3,
      node_id: "end",
      part: "status",
      recorded: ["waiting"],
      now: ["completed"],
    },
    {
      number: 3,
      at: "2026-11-28T12:00:00Z",
      turn: 1,
      node_id: "gone",
      part: "messages",
      recorded: null,
      now: null,
    },
  ],
};

test("a replay says what would change for the people of last week", async () => {
  const asked = tests({ "POST /api/v1/flows/clinic/replay": REPLAY });
  const { container } = inEditor(<Replay />);
  await userEvent.click(screen.getByRole("button", { name: "Repetir as conversas da última semana" }));
  expect(
    await screen.findByText(/Iguais: 40. Diferentes: 2. Sem como repetir: 1. Só as conversas mais recentes/),
  ).toBeVisible();
  expect(screen.getByText(/turno 2: o bot disse “Qual dia\?” e agora diria “Que dia\?”/)).toBeVisible();
  expect(screen.getByText(/turno 3: antes: esperar a pessoa; agora: terminar/)).toBeVisible();
  expect(screen.getByText(/turno 1: o bot diria outra coisa/)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: /Menu/ }));
  expect(select).toHaveBeenLastCalledWith(["menu"]);
  expect(asked.find(({ key }) => key.endsWith("/replay"))!.body).toMatchObject({
    document: { id: "clinic" },
    days: 7,
  });
  await expectAccessible(container);
});
