import { Alert, Badge, Button, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../../api/errors.ts";
import type { FlowNode } from "../../../flow/document.ts";
import { count } from "../../../i18n/format.ts";
import { Dialog } from "../../../ui/Dialog.tsx";
import { Form } from "../../../ui/Form.tsx";
import { Problem } from "../../../ui/Problem.tsx";
import { Values } from "../../../ui/Values.tsx";
import { useInspected } from "../editor/state.tsx";
import { useFindingText } from "../editor/useFindingText.ts";
import { testRequest, type Finding, type TestedRequest } from "../queries.ts";
import { exampleOf, variablesOf } from "./requestTest.ts";

/** Sends the request of an API call once, with example values, and shows what the flow would get of it. */
export function RequestTest({ node }: { node: FlowNode }) {
  const { t } = useTranslation("build");
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button variant="default" size="xs" onClick={open}>
        {t("request.test")}
      </Button>
      <Dialog opened={opened} onClose={close} title={t("request.title")}>
        <Test node={node} />
      </Dialog>
    </>
  );
}

function Test({ node }: { node: FlowNode }) {
  const { t } = useTranslation("build");
  const { inspection } = useInspected();
  const names = variablesOf(node.data);
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const kinds = new Map(inspection?.completion.variables.map((one) => [one.name, one.kinds]));
  const sending = useMutation({
    mutationFn: () =>
      testRequest(
        node.data,
        Object.fromEntries(names.map((name) => [name, exampleOf(values[name] ?? "", kinds.get(name))])),
      ),
  });
  return (
    <Form className="build-form" onSubmit={() => sending.mutate()}>
      <p className="flush">{t("request.about")}</p>
      {names.map((name) => (
        <TextInput
          key={name}
          label={t("request.value", { name })}
          maxLength={4096}
          value={values[name] ?? ""}
          onChange={(event) => setValues({ ...values, [name]: event.currentTarget.value })}
        />
      ))}
      <Button type="submit" loading={sending.isPending}>
        {t("request.send")}
      </Button>
      <output className="build-form">
        {sending.isError && <Refusal error={sending.error} />}
        {sending.data && !sending.isPending && <Answer tested={sending.data} />}
      </output>
    </Form>
  );
}

/** Why nothing was sent: the findings of a node that cannot run, or another problem. */
function Refusal({ error }: { error: Error }) {
  const text = useFindingText();
  const findings = error instanceof ApiError ? (error.body["problems"] as Finding[] | undefined) : undefined;
  if (!findings?.length) return <Problem error={error} />;
  return (
    <Alert color="red" role="alert">
      {findings.map((finding) => (
        <p className="flush" key={`${finding.code} ${finding.field}`}>
          <code>{finding.field}</code> {text(finding)}
        </p>
      ))}
    </Alert>
  );
}

function Answer({ tested }: { tested: TestedRequest }) {
  const { t, i18n } = useTranslation("build");
  const { ok, status, seconds, body, error, stored, request } = tested;
  const code = error?.split(":")[0] ?? "";
  const known = `request.error.${code}`;
  return (
    <>
      <p className="flush">
        <Badge component="span" color={ok ? "leaf" : "red"} variant="light">
          {status ?? t("request.noAnswer")}
        </Badge>{" "}
        {t("request.time", { seconds: count(seconds) })}
      </p>
      {error && (
        <Alert color="red" p="xs" role="alert">
          {i18n.exists(known, { ns: "build" }) ? t(known as "request.error.timeout") : error}
        </Alert>
      )}
      <code className="build-phone-request">{`${String(request["method"])} ${String(request["url"])}`}</code>
      <h3 className="build-request-title">{t("request.stored")}</h3>
      <Values of={stored} none={t("request.nothing")} />
      <h3 className="build-request-title">{t("request.body")}</h3>
      <pre className="build-request-body" tabIndex={0} aria-label={t("request.body")}>
        {body == null ? t("request.empty") : shown(body)}
      </pre>
    </>
  );
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
}
