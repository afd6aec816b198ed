import { ActionIcon, Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useReactFlow } from "@xyflow/react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { api, got } from "../../../api/client.ts";
import type { components } from "../../../generated/api.ts";
import { NODE_WIDTH } from "../../../flow/layout.ts";
import { locale } from "../../../i18n/words.ts";
import { Form } from "../../../ui/Form.tsx";
import { Icon } from "../../../ui/Icon.tsx";
import { Problem } from "../../../ui/Problem.tsx";
import { Values } from "../../../ui/Values.tsx";
import { useEditor } from "../editor/state.tsx";
import { SaveTest } from "../flowtests/SaveTest.tsx";
import { litBy, type RecordedTurn } from "../flowtests/tests.ts";
import { AnswerForm, AnswerMenu } from "./AnswerForm.tsx";
import type { Kind, RehearsalInput } from "./answers.ts";
import { Bubble } from "./Bubble.tsx";
import { CallForm } from "./CallForm.tsx";
import { MessageBubble, type Content } from "./MessageBubble.tsx";

type Schemas = components["schemas"];
type Turn = Schemas["RehearsedFlowTurn"];
type Results = Record<string, Schemas["CallResult"]>;

interface Line {
  from: "bot" | "person";
  content?: Content;
  text?: string;
}

interface Asked {
  /** The rehearsal that asked: what comes after a restart belongs to none. */
  round: number;
  input: RehearsalInput;
  results: Results;
  calls: RecordedTurn["calls"];
  now: string;
}

const SECOND = 1000;

/** The clock of a rehearsal: whole seconds, so that a test of it begins at the same time. */
function timeAt(ahead: number): string {
  return new Date(Math.floor((Date.now() + ahead) / SECOND) * SECOND).toISOString();
}

/** A phone beside the canvas: the draft is tried without saving or sending anything, and its path is lit. */
export function Rehearsal() {
  const { t } = useTranslation("build");
  const { document, inspection, light, select } = useEditor();
  const [lines, setLines] = useState<Line[]>([]);
  const [turn, setTurn] = useState<Turn>();
  const [asked, setAsked] = useState<Asked>();
  const [recorded, setRecorded] = useState<readonly RecordedTurn[]>([]);
  const [begins, setBegins] = useState("");
  const [giving, setGiving] = useState<Kind>();
  const [saves, setSaves] = useState(false);
  /** How far the rehearsal's clock is ahead, in milliseconds. */
  const ahead = useRef(0);
  const round = useRef(0);
  const end = useRef<HTMLDivElement>(null);
  const path = useRef<ReadonlySet<string>>(new Set());
  const flow = useReactFlow();

  const rehearse = useMutation({
    mutationFn: ({ input, results, now }: Asked) =>
      got(
        api.POST("/api/v1/flows/rehearse", {
          body: {
            document: document as unknown as Record<string, never>,
            documents: {},
            rehearsal: turn?.rehearsal ?? null,
            input: { text: "", ...input },
            results,
            seed: 0,
            now,
          },
        }),
      ),
    onSuccess: (answer, { round: asking, input, calls }) => {
      if (asking !== round.current) return;
      if (answer.status !== "effect") {
        setRecorded((before) => [...before, { input, turn: answer, calls }]);
        setLines((before) => [
          ...before,
          ...answer.messages.map((content): Line => ({ from: "bot", content })),
        ]);
      }
      path.current = new Set([...path.current, ...litBy(answer.path, inspection)]);
      light(path.current);
      const at = answer.node_id && flow.getNode(answer.node_id);
      if (at)
        void flow.setCenter(at.position.x + NODE_WIDTH / 2, at.position.y + 60, {
          zoom: flow.getZoom(),
          duration: 300,
        });
      if (answer.status === "effect")
        setTurn((before) => ({ ...(before ?? answer), effect: answer.effect, status: "effect" }));
      else setTurn(answer);
    },
  });

  useEffect(() => void end.current?.scrollIntoView({ block: "end" }), [lines, turn]);
  useEffect(() => () => light(new Set()), [light]);

  function send(input: RehearsalInput, said: string) {
    setGiving(undefined);
    if (said) setLines((before) => [...before, { from: "person", text: said }]);
    if (!turn) ahead.current = begins ? Date.parse(begins) - Date.now() : 0;
    const next = { round: round.current, input, results: {}, calls: [], now: timeAt(ahead.current) };
    setAsked(next);
    rehearse.mutate(next);
  }

  function answerCall(result: Schemas["CallResult"]) {
    if (!asked || !turn?.effect) return;
    const { key, mock } = turn.effect;
    const next = {
      ...asked,
      results: { ...asked.results, [key]: result },
      calls: [...asked.calls, { mock, result }],
    };
    setAsked(next);
    rehearse.mutate(next);
  }

  const reply = (id: string, title: string) => send({ type: "reply", reply_id: id, text: title }, title);

  function skip(dueAt: string) {
    ahead.current = Math.max(ahead.current, Date.parse(dueAt) - Date.now());
    send({ type: "timer" }, "");
  }

  function restart() {
    round.current++;
    setGiving(undefined);
    setRecorded([]);
    setLines([]);
    setTurn(undefined);
    setAsked(undefined);
    rehearse.reset();
    path.current = new Set();
    light(path.current);
  }

  const waits = turn?.status === "waiting" ? document.nodes.find(({ id }) => id === turn.node_id) : undefined;
  const eventName = waits?.type === "wait_event" ? String(waits.data["name"] ?? "") : "";
  const sentForm = lines.some(({ content }) => content?.type === "whatsapp_flow");
  const now: readonly Kind[] = [
    ...(eventName ? (["event"] as const) : []),
    ...(sentForm ? (["form"] as const) : []),
    ...(turn?.status === "waiting" ? (["reaction"] as const) : []),
  ];
  const [emoji] = Object.keys((waits?.data["reactions"] as object | undefined) ?? {});
  const withAgent = turn?.status === "handoff" || turn?.status === "human";
  const over = turn && turn.status !== "waiting" && turn.status !== "effect";
  return (
    <section className="build-phone" aria-label={t("rehearsal.name")}>
      <header className="build-phone-head">
        <strong>{t("rehearsal.name")}</strong>
        <span className="build-phone-tools">
          <Button
            size="compact-xs"
            variant="default"
            disabled={!recorded.length || turn?.status === "effect"}
            onClick={() => setSaves(true)}
          >
            {t("tests.save")}
          </Button>
          <Button size="compact-xs" variant="default" onClick={restart}>
            {t("rehearsal.restart")}
          </Button>
        </span>
      </header>
      <div className="build-phone-lines" role="log" aria-live="polite" tabIndex={0}>
        {lines.length === 0 && (
          <>
            <p className="quiet">{t("rehearsal.begin")}</p>
            <TextInput
              className="build-phone-time"
              type="datetime-local"
              size="xs"
              label={t("rehearsal.time")}
              description={t("rehearsal.timeAbout")}
              max="2099-12-31T23:59"
              min="2000-01-01T00:00"
              value={begins}
              onChange={(event) => setBegins(event.currentTarget.value)}
            />
          </>
        )}
        {lines.map(({ content, text }, index) =>
          content ? (
            <MessageBubble
              key={index}
              content={content}
              {...(index === lines.length - 1 ? { onReply: reply, onGive: setGiving } : {})}
            />
          ) : (
            <Bubble key={index} from="person" text={text} />
          ),
        )}
        {over && <p className="build-phone-note">{t(`rehearsal.${turn.status as "completed"}`)}</p>}
        {turn?.timer && turn.status === "waiting" && (
          <Button size="compact-xs" variant="light" onClick={() => skip(turn.timer!.due_at)}>
            {t("rehearsal.skip", { time: new Date(turn.timer.due_at).toLocaleString(locale()) })}
          </Button>
        )}
        {withAgent && (
          <Button
            size="compact-xs"
            variant="light"
            disabled={rehearse.isPending}
            onClick={() => send({ type: "return" }, "")}
          >
            {t("rehearsal.return")}
          </Button>
        )}
        {rehearse.isError && asked && <Problem error={rehearse.error} again={() => rehearse.mutate(asked)} />}
        <div ref={end} />
      </div>
      {turn?.status === "effect" && turn.effect ? (
        <CallForm effect={turn.effect} key={turn.effect.key} onAnswer={answerCall} />
      ) : giving ? (
        <AnswerForm
          key={giving}
          kind={giving}
          event={eventName}
          given={emoji ? { emoji } : {}}
          onSend={({ input, said }) => send(input, said)}
          onCancel={() => setGiving(undefined)}
        />
      ) : (
        <Composer busy={rehearse.isPending} onSend={(text) => send({ type: "text", text }, text)}>
          <AnswerMenu now={now} onChoose={setGiving} />
        </Composer>
      )}
      {turn && <Way path={recorded.flatMap((one) => one.turn.path)} onShow={(id) => select([id])} />}
      {turn && <Collected variables={turn.variables} />}
      {saves && <SaveTest recorded={recorded} onClose={() => setSaves(false)} />}
    </section>
  );
}

/** The nodes that the rehearsal went through, in order; in sub-flows only the entry shows. */
function Way({ path, onShow }: { path: readonly Schemas["RehearsedStep"][]; onShow: (id: string) => void }) {
  const { t } = useTranslation("build");
  const { document } = useEditor();
  const names = new Map(document.nodes.map(({ id, label }) => [id, label || id]));
  const own = path.filter(
    ({ flow_id, node_id }, index) =>
      flow_id === document.id && names.has(node_id) && path[index - 1]?.node_id !== node_id,
  );
  if (!own.length) return null;
  return (
    <details className="build-phone-variables">
      <summary>{t("rehearsal.way", { count: own.length })}</summary>
      <ol className="build-phone-way">
        {own.map(({ node_id }, index) => (
          <li key={index}>
            <Button size="compact-xs" variant="subtle" onClick={() => onShow(node_id)}>
              {names.get(node_id)}
            </Button>
          </li>
        ))}
      </ol>
    </details>
  );
}

function Composer({
  busy,
  onSend,
  children,
}: {
  busy: boolean;
  onSend: (text: string) => void;
  children: ReactNode;
}) {
  const { t } = useTranslation("build");
  const [text, setText] = useState("");
  return (
    <Form
      className="build-phone-write"
      onSubmit={() => {
        if (!text.trim() || busy) return;
        onSend(text.trim());
        setText("");
      }}
    >
      {children}
      <TextInput
        aria-label={t("rehearsal.write")}
        placeholder={t("rehearsal.write")}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <ActionIcon type="submit" size="lg" radius="xl" aria-label={t("rehearsal.send")} loading={busy}>
        <Icon name="send" size={18} />
      </ActionIcon>
    </Form>
  );
}

function Collected({ variables }: { variables: Record<string, unknown> }) {
  const { t } = useTranslation("build");
  const known = Object.keys(variables).length;
  if (!known) return null;
  return (
    <details className="build-phone-variables">
      <summary>{t("rehearsal.variables", { count: known })}</summary>
      <Values of={variables} />
    </details>
  );
}
