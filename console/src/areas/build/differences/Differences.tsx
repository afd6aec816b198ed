import { Skeleton, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useReactFlow } from "@xyflow/react";
import { useEffect, useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { differences, marksOf, type Change, type Mark } from "../../../flow/differences.ts";
import { gist, type FlowNode } from "../../../flow/document.ts";
import { Problem } from "../../../ui/Problem.tsx";
import { TypeIcon } from "../canvas/TypeIcon.tsx";
import { useWord } from "../../../flow/useWord.ts";
import { PanelHead } from "../editor/PanelHead.tsx";
import { useEditor } from "../editor/state.tsx";
import { versionQuery } from "../queries.ts";
import { useChangeText } from "./useChangeText.ts";

/** How the draft differs from a published version: marked on the canvas, and in words for the selected node. */
export function Differences({ version, onClose }: { version: number; onClose: () => void }) {
  const { t } = useTranslation("build");
  const { document, selected, select, mark } = useEditor();
  const flow = useReactFlow();
  const published = useQuery(versionQuery(document.id, version));
  const found = useMemo(
    () => (published.data ? differences(published.data, document) : undefined),
    [published.data, document],
  );
  useEffect(() => {
    mark(found ? marksOf(found) : new Map());
  }, [found, mark]);
  useEffect(() => () => mark(new Map()), [mark]);

  const node = (id: string) => document.nodes.find((one) => one.id === id)!;
  function show(id: string) {
    select([id]);
    void flow.fitView({ nodes: [{ id }], maxZoom: 1, duration: 300 });
  }
  const shown = (kind: Mark, ids: readonly string[]) =>
    ids.length > 0 && (
      <section>
        <h3>{t(`differences.${kind}`, { count: ids.length })}</h3>
        <ul className="build-differences">
          {ids.map((id) => (
            <li key={id}>
              <UnstyledButton
                className={`build-difference is-${kind}`}
                aria-expanded={kind === "changed" ? selected[0] === id : undefined}
                onClick={() => show(id)}
              >
                <NodeName node={node(id)} />
              </UnstyledButton>
              {selected[0] === id && <Changes changes={found?.changed.get(id) ?? []} />}
            </li>
          ))}
        </ul>
      </section>
    );

  return (
    <div className="build-form">
      <PanelHead
        title={t("differences.title", { version })}
        tools={[{ label: t("differences.close"), icon: "close", onClick: onClose }]}
      />
      {published.isPending && <Skeleton height={120} />}
      {published.isError && <Problem error={published.error} again={() => void published.refetch()} />}
      {found && !found.added.length && !found.changed.size && !found.removed.length && !found.flow.length && (
        <p className="flush">{t("differences.none")}</p>
      )}
      {found && shown("added", found.added)}
      {found && shown("changed", [...found.changed.keys()])}
      {found && found.removed.length > 0 && (
        <section>
          <h3>{t("differences.removed", { count: found.removed.length })}</h3>
          <ul className="build-differences">
            {found.removed.map((gone) => (
              <li key={gone.id} className="build-difference is-removed">
                <NodeName node={gone} />
              </li>
            ))}
          </ul>
        </section>
      )}
      {found && found.flow.length > 0 && (
        <section>
          <h3>{t("differences.flow")}</h3>
          <Changes changes={found.flow} />
        </section>
      )}
    </div>
  );
}

function NodeName({ node }: { node: FlowNode }): ReactNode {
  const { t } = useTranslation("build");
  const word = useWord();
  return (
    <>
      <TypeIcon type={node.type} />
      <span>
        <strong>{node.label || t(`type.${node.type}`)}</strong>{" "}
        <span className="quiet">{gist(node, word).slice(0, 60) || node.id}</span>
      </span>
    </>
  );
}

/** Each field that changed: what it is called, what it was, and what it is. */
function Changes({ changes }: { changes: readonly Change[] }) {
  const { t } = useTranslation("build");
  const text = useChangeText();
  return (
    <dl className="build-changes">
      {changes.map((change) => {
        const { field, before, after } = text(change);
        return (
          <div key={change.path.join(".")}>
            <dt>{field}</dt>
            {before !== undefined && (
              <dd>
                <span className="quiet">{t("differences.before")}</span> <del>{before}</del>
              </dd>
            )}
            <dd>
              <span className="quiet">{t("differences.after")}</span>{" "}
              {after === undefined ? <em>{t("differences.nothing")}</em> : <ins>{after}</ins>}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
