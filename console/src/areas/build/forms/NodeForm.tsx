import { Accordion, Alert, Button, Select, TextInput } from "@mantine/core";
import { useDeferredValue, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { exitsOf, withValue, type Data, type FlowNode } from "../../../flow/document.ts";
import { connected, pasted, removed, renamed, withNode } from "../../../flow/edit.ts";
import { useExitText } from "../canvas/useExitText.ts";
import { TypeIcon } from "../canvas/TypeIcon.tsx";
import { FixButton } from "../editor/FixButton.tsx";
import { PanelHead } from "../editor/PanelHead.tsx";
import { findingsOf, useEditor } from "../editor/state.ts";
import { useFindingText } from "../editor/useFindingText.ts";
import { Bubble } from "../rehearsal/Bubble.tsx";
import { Commands } from "./Commands.tsx";
import { FieldPart } from "./FieldPart.tsx";
import { FORMS, type Field } from "./fields.ts";
import { RequestTest } from "./RequestTest.tsx";
import { ComparisonPart } from "./ways.tsx";

/** Everything about the selected node: its findings, its fields, where it leads, and how it looks in WhatsApp. */
export function NodeForm({ node }: { node: FlowNode }) {
  const { t } = useTranslation("build");
  const { document, edit, select, findings } = useEditor();
  const text = useFindingText();
  const found = findingsOf(findings, node);
  const { main, more } = FORMS[node.type];
  const isShown = (field: string) => main.some(({ name, kind }) => name === field && kind !== "options");
  const concerning = (name: string) => found.filter(({ field }) => field?.replace(/[.[].*$/, "") === name);

  const set = (name: string) => (value: unknown) =>
    edit(
      (before) => withNode(before, node.id, (one) => ({ ...one, data: withValue(one.data, name, value) })),
      `${node.id}.${name}`,
    );

  function part(field: Field) {
    if (field.kind === "comparison")
      return node.data["branches"] ? null : <Comparison key={field.name} node={node} />;
    if (field.kind === "branches" && !node.data["branches"]) return <ManyWays key={field.name} node={node} />;
    const own = concerning(field.name);
    return (
      <div key={field.name} className="build-field">
        <FieldPart
          field={field}
          value={node.data[field.name]}
          onChange={set(field.name)}
          error={[...new Set(own.map(text))].join(" ") || undefined}
        />
        {own
          .filter((finding) => isShown(finding.field!))
          .map((finding) => (
            <FixButton key={`${finding.code} ${finding.field}`} finding={finding} />
          ))}
      </div>
    );
  }

  function duplicate() {
    const [after, [id]] = pasted(document, [node]);
    edit(() => after);
    select([id!]);
  }

  function remove() {
    edit((before) => removed(before, new Set([node.id])));
    select([]);
  }

  return (
    <div className="build-form" key={node.id}>
      <PanelHead
        icon={<TypeIcon type={node.type} size={22} />}
        title={t(`type.${node.type}`)}
        tools={[
          { label: t("form.duplicate"), icon: "plus", onClick: duplicate },
          { label: t("form.delete"), icon: "close", color: "red", onClick: remove },
        ]}
      />
      <p className="quiet flush">{t(`hint.${node.type}`)}</p>
      {found
        .filter(({ field }) => !field || !isShown(field))
        .map((finding) => (
          <Alert
            key={`${finding.code} ${finding.field}`}
            color={finding.severity === "error" ? "red" : "yellow"}
            p="xs"
            title={text(finding)}
          >
            {finding.field && <code>{finding.field}</code>} <FixButton finding={finding} />
          </Alert>
        ))}
      <TextInput
        label={t("field.nodeLabel")}
        placeholder={t(`type.${node.type}`)}
        value={node.label ?? ""}
        onChange={(event) => {
          const label = event.currentTarget.value;
          edit(
            (before) =>
              withNode(before, node.id, ({ label: _, ...rest }) => (label ? { ...rest, label } : rest)),
            `${node.id}.label`,
          );
        }}
      />
      {main.map(part)}
      {(node.type === "message" || node.type === "question") && <Preview node={node} />}
      {node.type === "api_call" && <RequestTest node={node} />}
      <Exits node={node} />
      <Accordion variant="contained">
        <Accordion.Item value="more">
          <Accordion.Control>{t("form.more")}</Accordion.Control>
          <Accordion.Panel>
            <div className="build-form">
              {more.map(part)}
              <Commands node={node} />
            </div>
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
      <NodeId node={node} />
    </div>
  );
}

function NodeId({ node }: { node: FlowNode }) {
  const { t } = useTranslation("build");
  const { document, edit, select } = useEditor();
  return (
    <TextInput
      label={t("field.nodeId")}
      defaultValue={node.id}
      key={node.id}
      onBlur={(event) => {
        const id = event.currentTarget.value.trim();
        if (!id || id === node.id || document.nodes.some((other) => other.id === id)) {
          event.currentTarget.value = node.id;
          return;
        }
        edit((before) => renamed(before, node.id, id));
        select([id]);
      }}
    />
  );
}

function Comparison({ node }: { node: FlowNode }) {
  const { edit } = useEditor();
  return (
    <ComparisonPart
      value={node.data}
      onChange={(data) =>
        edit((before) => withNode(before, node.id, (one) => ({ ...one, data })), `${node.id}.comparison`)
      }
    />
  );
}

/** Turns one comparison into branches. */
function ManyWays({ node }: { node: FlowNode }) {
  const { t } = useTranslation("build");
  const { edit } = useEditor();
  function branch() {
    const { variable, operator, value, true_next_node_id, false_next_node_id } = node.data;
    const data: Data = {
      branches: [
        {
          all: [{ variable, operator, value }],
          ...(true_next_node_id ? { next_node_id: true_next_node_id } : {}),
        },
      ],
      ...(false_next_node_id ? { default_next_node_id: false_next_node_id } : {}),
    };
    edit((before) => withNode(before, node.id, (one) => ({ ...one, data })));
  }
  return (
    <Button variant="default" size="xs" onClick={branch}>
      {t("form.manyWays")}
    </Button>
  );
}

/** Where the node leads, as fields: the same as the arrows, without a mouse. */
function Exits({ node }: { node: FlowNode }) {
  const { t } = useTranslation("build");
  const { document, edit } = useEditor();
  const name = useExitText();
  const exits = exitsOf(node);
  const nodes = useDeferredValue(document.nodes); // a key does not wait for the names of all nodes
  const others = useMemo(
    () =>
      nodes
        .filter(({ id, type }) => id !== node.id && type !== "start")
        .map(({ id, type, label }) => ({ value: id, label: `${label || t(`type.${type}`)} · ${id}` })),
    [nodes, node.id, t],
  );
  if (!exits.length) return null;
  return (
    <fieldset className="build-list">
      <legend>{t("form.exits")}</legend>
      {exits.map((exit) => (
        <Select
          key={exit.field}
          searchable
          clearable
          size="xs"
          label={name(exit)}
          placeholder={t("form.nowhere")}
          data={others}
          value={exit.target ?? null}
          onChange={(target) => edit((before) => connected(before, node.id, exit.field, target ?? undefined))}
        />
      ))}
    </fieldset>
  );
}

function Preview({ node }: { node: FlowNode }) {
  const { t } = useTranslation("build");
  const buttons = Array.isArray(node.data["buttons"]) ? (node.data["buttons"] as Data[]) : [];
  const media = node.data["media"] as Data | undefined;
  if (!node.data["text"] && !node.data["question"] && !media && !buttons.length) return null;
  return (
    <figure className="build-preview" aria-label={t("form.preview")}>
      <Bubble
        from="bot"
        text={String(node.data["text"] ?? node.data["question"] ?? "")}
        header={node.data["header"] as string | undefined}
        footer={node.data["footer"] as string | undefined}
        media={media ? { type: String(media["type"]), link: media["link"] as string | undefined } : undefined}
        options={buttons.map((button) => String(button["label"] ?? ""))}
      />
    </figure>
  );
}
