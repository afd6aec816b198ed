import { Switch, TagsInput, Textarea } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { withValue, type FlowDocument, type FlowNode } from "../../../flow/document.ts";
import { withNode } from "../../../flow/edit.ts";
import { textsOf, translatedInto, withTranslation, type ShownText } from "../../../flow/texts.ts";
import { languageName } from "../../../i18n/format.ts";
import { Dialog } from "../../../ui/Dialog.tsx";
import { useFieldText } from "../differences/useChangeText.ts";
import { parts } from "../../../flow/document.ts";
import { useEditor } from "../editor/state.tsx";

interface Row {
  /** The field, which stays when the text's name changes: that of a button without a value is its label. */
  place: string;
  /** What the text is called in `texts`. */
  id: string;
  node: FlowNode;
  shown: ShownText;
}

/** All texts of a flow, one column for each language; what is missing is marked, and everything is edited in place. */
export function Languages({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("build");
  const { document, edit } = useEditor();
  const own = document.language ?? "pt_BR";
  const codes = translatedInto(document);
  const rows = useMemo(
    () =>
      document.nodes.flatMap((node) =>
        textsOf(node).map((shown): Row => ({
          place: `${node.id}.${shown.field}`,
          id: `${node.id}.${shown.key}`,
          node,
          shown,
        })),
      ),
    [document.nodes],
  );
  const lacks = (row: Row) =>
    !row.shown.optional &&
    codes.some((code) => !document.texts?.[code]?.[row.id] && hasWords(row.shown.text));
  const missing = rows.filter(lacks);
  const [only, setOnly] = useState<ReadonlySet<string>>(); // as it was when it was chosen: a row stays while it is written
  return (
    <Dialog opened onClose={onClose} title={t("languages.title")} size="90%">
      <TagsInput
        label={t("languages.spoken")}
        description={t("languages.about", { own: languageName(own) })}
        placeholder={t("languages.hint")}
        value={codes}
        onChange={(next) => edit((before) => speaking(before, next))}
      />
      {codes.length > 0 && (
        <>
          <div className="build-languages-head">
            <Switch
              label={t("languages.missingOnly")}
              checked={only !== undefined}
              onChange={({ currentTarget }) =>
                setOnly(currentTarget.checked ? new Set(missing.map(({ place }) => place)) : undefined)
              }
            />
            <span role="status">{t("languages.missing", { count: missing.length })}</span>
          </div>
          <div className="build-languages">
            <table>
              <thead>
                <tr>
                  <th scope="col">{t("languages.text")}</th>
                  {[own, ...codes].map((code) => (
                    <th key={code} scope="col">
                      {languageName(code)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows
                  .filter(({ place }) => !only || only.has(place))
                  .map((row) => (
                    <TextRow key={row.place} row={row} own={own} codes={codes} />
                  ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </Dialog>
  );
}

function TextRow({
  row: { place, id, node, shown },
  own,
  codes,
}: {
  row: Row;
  own: string;
  codes: readonly string[];
}) {
  const { t } = useTranslation("build");
  const { document, edit } = useEditor();
  const field = useFieldText();
  const name = `${node.label || t(`type.${node.type}`)}: ${field(parts(shown.field))}`;
  return (
    <tr>
      <th scope="row">
        {name}
        <span className="quiet build-block">{node.id}</span>
      </th>
      <td>
        <Textarea
          aria-label={`${name}, ${own}`}
          value={shown.text}
          autosize
          minRows={1}
          maxRows={6}
          onChange={({ currentTarget: { value } }) =>
            value &&
            edit(
              (before) =>
                withNode(before, node.id, (one) => ({
                  ...one,
                  data: withValue(one.data, shown.field, value),
                })),
              place,
            )
          }
        />
      </td>
      {codes.map((code) => {
        const text = document.texts?.[code]?.[id] ?? "";
        const isMissing = !text && !shown.optional && hasWords(shown.text);
        return (
          <td key={code} className={isMissing ? "is-missing" : ""}>
            <Textarea
              aria-label={`${name}, ${code}`}
              value={text}
              autosize
              minRows={1}
              maxRows={6}
              onChange={({ currentTarget: { value } }) =>
                edit((before) => withTranslation(before, code, id, value), `texts.${code}.${id}`)
              }
            />
            {isMissing && <span className="build-lacks">{t("languages.lacks")}</span>}
          </td>
        );
      })}
    </tr>
  );
}

/** Whether there is something to translate besides values. */
function hasWords(text: string): boolean {
  return /\p{L}/u.test(text.replaceAll(/\{\{.*?\}\}/g, ""));
}

function speaking(document: FlowDocument, codes: readonly string[]): FlowDocument {
  const { languages: _, ...rest } = document;
  const written = codes.map((code) => code.trim().replace("-", "_")).filter(Boolean);
  return (written.length ? { ...rest, languages: written } : rest) as FlowDocument;
}
