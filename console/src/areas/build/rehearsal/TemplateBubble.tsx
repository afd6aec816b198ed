import { useQuery } from "@tanstack/react-query";
import {
  buttonsOf,
  cardsOf,
  fieldsOf,
  filled,
  guessed,
  ofCard,
  sameTemplate,
  templatesQuery,
  textOf,
  valuesOf,
  type MessageTemplate,
  type TemplateValues,
} from "../../../api/templates.ts";
import { Bubble } from "./Bubble.tsx";
import { Cards, type Content } from "./MessageBubble.tsx";

/** A template with its values; without a copy of it at least the values are shown. */
export function TemplateBubble({
  name,
  language,
  components: sent,
}: Pick<Content, "name" | "language" | "components">) {
  const components = sent ?? [];
  const templates = useQuery(templatesQuery());
  const known = templates.data?.find(sameTemplate(name ?? "", language ?? ""));
  const template = known ?? guessed(name ?? "", components);
  const values = valuesOf(template, components);
  return (
    <>
      <Filled template={template} values={values} header={known ? undefined : name} />
      {cardsOf(template).length > 0 && (
        <Cards>
          {cardsOf(template).map((card, at) => (
            <Filled key={at} template={card} values={ofCard(values, at)} />
          ))}
        </Cards>
      )}
    </>
  );
}

interface FilledProps {
  template: MessageTemplate;
  values: TemplateValues;
  header?: string | null | undefined;
}

function Filled({ template, values, header }: FilledProps) {
  const file = values["header"];
  const kind = fieldsOf(template)?.find(({ key }) => key === "header")?.kind;
  const isFile = kind && kind !== "location";
  const of = (name: string) =>
    typeof file === "object" && typeof file[name] === "string" ? file[name] : undefined;
  const place = kind === "location" ? of("name") : undefined;
  return (
    <Bubble
      from="bot"
      header={header ?? (place || filled(textOf(template, "HEADER"), "header", values) || undefined)}
      text={filled(textOf(template, "BODY"), "body", values)}
      footer={textOf(template, "FOOTER") || undefined}
      media={isFile ? { type: kind, link: of("link"), id: of("id") } : undefined}
      options={buttonsOf(template)}
    />
  );
}
