import { Accordion, Alert, Button, Select, TextInput } from "@mantine/core";
import { memo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { later } from "../../../ui/later.tsx";
import {
  exitsOf,
  parts,
  withValue,
  type Data,
  type FlowNode,
  type NodeType,
} from "../../../flow/document.ts";
import { copied, pasted } from "../../../flow/copies.ts";
import { connected, removed, renamed, withNode } from "../../../flow/edit.ts";
import { placeOf } from "../../../flow/history.ts";
import { useExitText } from "../canvas/useExitText.ts";
import { useNodeText } from "../canvas/useNodeText.ts";
import { TypeIcon } from "../canvas/TypeIcon.tsx";
import { useFieldText } from "../differences/useChangeText.ts";
import { FixButton } from "../editor/FixButton.tsx";
import { PanelHead } from "../editor/PanelHead.tsx";
import { findingsOf, useActions, useEditor, useInspected } from "../editor/state.tsx";
import { useFindingText } from "../editor/useFindingText.ts";
import type { Finding } from "../queries.ts";
import { Commands } from "./Commands.tsx";
import { below, type Errors } from "./errors.ts";
import { FieldPart } from "./FieldPart.tsx";
import { FORMS, type Field } from "./fields.ts";
import { Preview } from "./Preview.tsx";
import { RequestTest } from "./RequestTest.tsx";
import { ComparisonPart } from "./ways.tsx";

/** Everything about the selected node: its findings, its fields, where it leads, and how it looks in WhatsApp. */
export function NodeForm({ node }: { node: FlowNode }) {
  const { t } = useTranslation("build");
  const { edit, select, latest } = useActions();
  const { findings } = useInspected();
  const text = useFindingText();
  const fieldText = useFieldText();
  const found = findingsOf(findings, node);
  const { main, more } = FORMS[node.type];

  function part(field: Field) {
    if (field.kind === "template") return <Template key={field.name} node={node} findings={found} />;
    if (field.kind === "comparison")
      return node.data["branches"] ? null : <Comparison key={field.name} node={node} findings={found} />;
    if (field.kind === "branches" && !node.data["branches"]) return <ManyWays key={field.name} node={node} />;
    return (
      <FormField
        key={field.name}
        node={node.id}
        type={node.type}
        field={field}
        value={node.data[field.name]}
        findings={found}
      />
    );
  }

  function duplicate() {
    const { document } = latest();
    const [after, [id]] = pasted(document, copied(document, [node.id]));
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
          { label: t("form.duplicate"), icon: "copy", onClick: duplicate },
          { label: t("form.delete"), icon: "remove", color: "red", onClick: remove },
          { label: t("form.close"), icon: "close", onClick: () => select([]) },
        ]}
      />
      <p className="quiet flush">{t(`hint.${node.type}`)}</p>
      {found
        .filter(({ field }) => !field || !isShown(node.type, field))
        .map((finding) => (
          <Alert
            key={`${finding.code} ${finding.field}`}
            color={finding.severity === "error" ? "red" : "yellow"}
            p="xs"
          >
            <strong className="build-block">{text(finding)}</strong>
            {finding.field && fieldText(parts(finding.field))} <FixButton finding={finding} />
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
      <Preview node={node} />
      {node.type === "api_call" && <RequestTest node={node} />}
      <Exits node={node} />
      <More>
        {() => (
          <>
            {more.map(part)}
            <Commands node={node} />
          </>
        )}
      </More>
      <NodeId node={node.id} />
    </div>
  );
}

/** What few people need; it is drawn when it is opened. */
function More({ children }: { children: () => ReactNode }) {
  const { t } = useTranslation("build");
  const [opened, open] = useState<string | null>(null);
  return (
    <Accordion variant="contained" value={opened} onChange={open}>
      <Accordion.Item value="more">
        <Accordion.Control>{t("form.more")}</Accordion.Control>
        <Accordion.Panel>{opened && <div className="build-form">{children()}</div>}</Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}

const ELSEWHERE = /next_node_id$|\.show_if\b|\.section$/; // exits, and what is behind "more options" of a button

/** Whether the findings of a field are shown beside it. */
function isShown(type: NodeType, field: string): boolean {
  if (ELSEWHERE.test(field)) return false;
  const of = field.replace(/[.[].*$/, "");
  if (type === "condition" && ["variable", "operator", "value", "keep_as"].includes(of)) return true;
  if (type === "template") return ["name", "language", "components"].includes(of);
  return FORMS[type].main.some(({ name, kind }) => name === of && kind !== "switch" && kind !== "on");
}

/** What is wrong with each field, by its path. */
function errorsOf(findings: readonly Finding[], text: (finding: Finding) => string): Errors {
  const errors: Record<string, string> = {};
  for (const finding of findings) {
    const path = finding.field ?? "";
    const said = text(finding);
    if (!errors[path]?.includes(said)) errors[path] = errors[path] ? `${errors[path]} ${said}` : said;
  }
  return errors;
}

interface FormFieldProps {
  node: string;
  type: NodeType;
  field: Field;
  value: unknown;
  findings: readonly Finding[];
}

/** A field with its findings. It is drawn again only when its own value or the findings change. */
const FormField = memo(function FormField({ node, type, field, value, findings }: FormFieldProps) {
  const { edit } = useActions();
  const text = useFindingText();
  const own = findings.filter((finding) => finding.field?.replace(/[.[].*$/, "") === field.name);
  return (
    <div className="build-field">
      <FieldPart
        field={field}
        value={value}
        onChange={(next) => {
          const place = placeOf(value, next);
          edit(
            (before) =>
              withNode(before, node, (one) => ({ ...one, data: withValue(one.data, field.name, next) })),
            place === undefined ? undefined : `${node}.${field.name}${place}`,
          );
        }}
        errors={below(errorsOf(own, text), field.name)}
      />
      {own
        .filter((finding) => isShown(type, finding.field!))
        .map((finding) => (
          <FixButton key={`${finding.code} ${finding.field}`} finding={finding} />
        ))}
    </div>
  );
});

const NodeId = memo(function NodeId({ node }: { node: string }) {
  const { t } = useTranslation("build");
  const { edit, select, latest } = useActions();
  return (
    <TextInput
      label={t("field.nodeId")}
      defaultValue={node}
      key={node}
      onBlur={(event) => {
        const id = event.currentTarget.value.trim();
        if (!id || id === node || latest().document.nodes.some((other) => other.id === id)) {
          event.currentTarget.value = node;
          return;
        }
        edit((before) => renamed(before, node, id));
        select([id]);
      }}
    />
  );
});

function Comparison({ node, findings }: { node: FlowNode; findings: readonly Finding[] }) {
  const { edit } = useActions();
  const text = useFindingText();
  return (
    <ComparisonPart
      errors={errorsOf(findings, text)}
      nested={FieldPart}
      value={node.data}
      onChange={(data) =>
        edit((before) => withNode(before, node.id, (one) => ({ ...one, data })), `${node.id}.comparison`)
      }
    />
  );
}

const TemplatePart = later(async () => (await import("./template.tsx")).TemplatePart);

/** The template of a node, and the values that it needs. */
function Template({ node, findings }: { node: FlowNode; findings: readonly Finding[] }) {
  const { edit } = useActions();
  const text = useFindingText();
  return (
    <TemplatePart
      value={node.data}
      onChange={(data) => {
        const place = placeOf(node.data, data);
        edit(
          (before) => withNode(before, node.id, (one) => ({ ...one, data })),
          place === undefined ? undefined : `${node.id}${place}`,
        );
      }}
      errors={errorsOf(findings, text)}
      nested={FieldPart}
    />
  );
}

/** Turns one comparison into branches. */
function ManyWays({ node }: { node: FlowNode }) {
  const { t } = useTranslation("build");
  const { edit } = useActions();
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
  const { document } = useEditor();
  const name = useExitText();
  const nodeText = useNodeText();
  const exits = exitsOf(node);
  if (!exits.length) return null;
  return (
    <fieldset className="build-list">
      <legend>{t("form.exits")}</legend>
      {exits.map((exit) => {
        const target = document.nodes.find(({ id }) => id === exit.target);
        return (
          <ExitSelect
            key={exit.field}
            node={node.id}
            field={exit.field}
            name={name(exit)}
            target={exit.target}
            targetText={target && nodeText(target)}
          />
        );
      })}
    </fieldset>
  );
}

interface ExitSelectProps {
  node: string;
  field: string;
  name: string;
  target: string | undefined;
  targetText: string | undefined;
}

interface Choice {
  value: string;
  label: string;
}

/** Where one exit leads. The other nodes are listed only while the field has the focus: each list has all nodes of the flow. */
const ExitSelect = memo(function ExitSelect({ node, field, name, target, targetText }: ExitSelectProps) {
  const { t } = useTranslation("build");
  const { edit, latest } = useActions();
  const nodeText = useNodeText();
  const [others, setOthers] = useState<readonly Choice[]>();
  const chosen = target && targetText ? [{ value: target, label: targetText }] : [];
  const list = () =>
    setOthers(
      latest()
        .document.nodes.filter(({ id, type }) => id !== node && type !== "start")
        .map((one) => ({ value: one.id, label: nodeText(one) })),
    );
  return (
    <Select
      searchable
      clearable
      size="xs"
      label={name}
      placeholder={t("form.nowhere")}
      data={others ?? chosen}
      value={target ?? null}
      onFocus={list}
      onBlur={() => setOthers(undefined)}
      onChange={(next) => edit((before) => connected(before, node, field, next ?? undefined))}
    />
  );
});
