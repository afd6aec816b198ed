import { ActionIcon, Button, Textarea, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useReactFlow } from "@xyflow/react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, got } from "../../../api/client.ts";
import type { components } from "../../../generated/api.ts";
import { NODE_WIDTH } from "../../../flow/layout.ts";
import { locale } from "../../../i18n/words.ts";
import { Icon } from "../../../ui/Icon.tsx";
import { Problem } from "../../../ui/Problem.tsx";
import { useEditor } from "../editor/state.ts";
import { Bubble } from "./Bubble.tsx";

type Schemas = components["schemas"];
type Turn = Schemas["RehearsedFlowTurn"];
type Content = Schemas["MessageContent"];
type Input = Partial<Schemas["RehearsalInput"]> & { type: Schemas["RehearsalInput"]["type"] };
type Results = Record<string, Schemas["CallResult"]>;

interface Line {
  from: "bot" | "person";
  content?: Content;
  text?: string;
}

interface Asked {
  input: Input;
  results: Results;
  /** The time of the turn, when waiting was skipped. */
  now?: string | undefined;
}

/** A phone beside the canvas: the draft is tried without saving or sending anything, and its path is lit. */
export function Rehearsal() {
  const { t } = useTranslation("build");
  const { document, inspection, light } = useEditor();
  const [lines, setLines] = useState<Line[]>([]);
  const [turn, setTurn] = useState<Turn>();
  const [asked, setAsked] = useState<Asked>();
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
            ...(now ? { now } : {}),
          },
        }),
      ),
    onSuccess: (answer) => {
      if (answer.status !== "effect")
        setLines((before) => [
          ...before,
          ...answer.messages.map((content): Line => ({ from: "bot", content })),
        ]);
      path.current = new Set([...path.current, ...litBy(answer, inspection)]);
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

  function send(input: Input, said: string, now?: string) {
    if (said) setLines((before) => [...before, { from: "person", text: said }]);
    const next = { input, results: {}, now };
    setAsked(next);
    rehearse.mutate(next);
  }

  function answerCall(result: Schemas["CallResult"]) {
    if (!asked || !turn?.effect) return;
    const next = { ...asked, results: { ...asked.results, [turn.effect.key]: result } };
    setAsked(next);
    rehearse.mutate(next);
  }

  function restart() {
    setLines([]);
    setTurn(undefined);
    setAsked(undefined);
    rehearse.reset();
    path.current = new Set();
    light(path.current);
  }

  const over = turn && turn.status !== "waiting" && turn.status !== "effect";
  return (
    <section className="build-phone" aria-label={t("rehearsal.name")}>
      <header className="build-phone-head">
        <strong>{t("rehearsal.name")}</strong>
        <Button size="compact-xs" variant="default" onClick={restart}>
          {t("rehearsal.restart")}
        </Button>
      </header>
      <div className="build-phone-lines" role="log" aria-live="polite" tabIndex={0}>
        {lines.length === 0 && <p className="quiet">{t("rehearsal.begin")}</p>}
        {lines.map((line, index) => (
          <Shown
            key={index}
            line={line}
            live={index === lines.length - 1}
            onReply={(id, title) => send({ type: "reply", reply_id: id, text: title }, title)}
          />
        ))}
        {over && <p className="build-phone-note">{t(`rehearsal.${turn.status as "completed"}`)}</p>}
        {turn?.timer && turn.status === "waiting" && (
          <Button
            size="compact-xs"
            variant="light"
            onClick={() => send({ type: "timer" }, "", turn.timer!.due_at)}
          >
            {t("rehearsal.skip", { time: new Date(turn.timer.due_at).toLocaleString(locale()) })}
          </Button>
        )}
        {rehearse.isError && <Problem error={rehearse.error} />}
        <div ref={end} />
      </div>
      {turn?.status === "effect" && turn.effect ? (
        <CallForm effect={turn.effect} key={turn.effect.key} onAnswer={answerCall} />
      ) : (
        <Composer busy={rehearse.isPending} onSend={(text) => send({ type: "text", text }, text)} />
      )}
      {turn && <Collected variables={turn.variables} />}
    </section>
  );
}

/** What a turn lights: the nodes of the turn and the arrows that it took. */
function litBy(turn: Turn, inspection: Schemas["FlowInspection"] | undefined): Set<string> {
  const fields = new Map(
    (inspection?.completion.nodes ?? []).flatMap(({ node_id, exits }) =>
      exits.map(({ exit, field }) => [`${node_id}|${exit}`, field] as const),
    ),
  );
  return new Set(
    turn.path.flatMap(({ node_id, exit }) => {
      const field = fields.get(`${node_id}|${exit}`);
      return field ? [node_id, `${node_id}|${field}`] : [node_id];
    }),
  );
}

function Shown({
  line,
  live,
  onReply,
}: {
  line: Line;
  live: boolean;
  onReply: (id: string, title: string) => void;
}) {
  const { content } = line;
  if (!content) return <Bubble from="person" text={line.text} />;
  const choices = [
    ...(content.buttons ?? []).map(({ id, title }) => ({ id, title })),
    ...(content.rows ?? []).map(({ id, title }) => ({ id, title })),
  ];
  return (
    <Bubble
      from="bot"
      text={content.text ?? content.caption ?? content.name ?? content.filename ?? ""}
      header={typeof content.header === "string" ? content.header : undefined}
      footer={content.footer ?? undefined}
      media={content.media ? { type: content.media, link: content.link ?? undefined } : undefined}
      options={
        choices.length
          ? choices.map(({ title }) => title)
          : [content.label, content.cta].filter((one): one is string => !!one)
      }
      onOption={
        live && choices.length ? (index) => onReply(choices[index]!.id, choices[index]!.title) : undefined
      }
    />
  );
}

function Composer({ busy, onSend }: { busy: boolean; onSend: (text: string) => void }) {
  const { t } = useTranslation("build");
  const [text, setText] = useState("");
  return (
    <form
      className="build-phone-write"
      onSubmit={(event) => {
        event.preventDefault();
        if (!text.trim() || busy) return;
        onSend(text.trim());
        setText("");
      }}
    >
      <TextInput
        aria-label={t("rehearsal.write")}
        placeholder={t("rehearsal.write")}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <ActionIcon type="submit" size="lg" radius="xl" aria-label={t("rehearsal.send")} loading={busy}>
        <Icon name="send" size={18} />
      </ActionIcon>
    </form>
  );
}

/** How a call ends: the builder answers in place of the API or the model. */
function CallForm({
  effect,
  onAnswer,
}: {
  effect: Schemas["RequestedCall"];
  onAnswer: (result: Schemas["CallResult"]) => void;
}) {
  const { t } = useTranslation("build");
  const [body, setBody] = useState("");
  function parsed(): unknown {
    try {
      return JSON.parse(body) as unknown;
    } catch {
      return body;
    }
  }
  const model = effect.type === "ai_prompt";
  const kind = { ai_prompt: "model", api_call: "call", start_flow: "start", send_email: "email" } as const;
  return (
    <div className="build-phone-call">
      <strong>{t(`rehearsal.${kind[effect.type]}`)}</strong>
      <code className="build-phone-request">
        {model
          ? String(effect.request["prompt"] ?? "")
          : `${String(effect.request["method"] ?? "")} ${String(effect.request["url"] ?? "")}`}
      </code>
      <Textarea
        label={t("rehearsal.answer")}
        value={body}
        onChange={(event) => setBody(event.currentTarget.value)}
        rows={3}
      />
      <div className="build-row">
        <Button
          size="xs"
          onClick={() =>
            onAnswer({ ok: true, status: model ? null : 200, body: parsed() as Record<string, never> })
          }
        >
          {t("rehearsal.succeeds")}
        </Button>
        <Button
          size="xs"
          variant="default"
          onClick={() => onAnswer({ ok: false, status: model ? null : 500, error: "rehearsal" })}
        >
          {t("rehearsal.fails")}
        </Button>
      </div>
    </div>
  );
}

function Collected({ variables }: { variables: Record<string, unknown> }) {
  const { t } = useTranslation("build");
  const known = Object.entries(variables);
  if (!known.length) return null;
  return (
    <details className="build-phone-variables">
      <summary>{t("rehearsal.variables", { count: known.length })}</summary>
      <dl>
        {known.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
