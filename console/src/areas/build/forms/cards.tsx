import { Input, Select } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Data } from "../../../flow/document.ts";
import { Fields } from "./compound.tsx";
import { below } from "./errors.ts";
import { CARDS, type Field } from "./fields.ts";
import { ListPart } from "./ListPart.tsx";
import { items } from "./parts.tsx";
import type { PartProps } from "./TextPart.tsx";

type Kind = keyof typeof CARDS;
const KINDS = Object.keys(CARDS) as Kind[];

const FRESH: Record<Kind, Data> = {
  cta_url: { media: { type: "image" }, cta_url: {} },
  buttons: { media: { type: "image" }, buttons: [{ label: "" }] },
  product: { product: {} },
};

/** Return a card of another kind; its file and text stay if it can have them. */
function turned(card: Data, kind: Kind): Data {
  const kept = CARDS[kind].map(({ name }) => [name, card[name] ?? FRESH[kind][name]] as const);
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined));
}

/** The fields of a card: those of its kind, and what else a document has there by mistake. */
function fieldsOf(card: Data, kind: Kind): Field[] {
  const all = KINDS.flatMap((one) => CARDS[one]);
  return all.filter(
    ({ name }, at) =>
      all.findIndex((other) => other.name === name) === at &&
      (card[name] !== undefined || CARDS[kind].some((own) => own.name === name)),
  );
}

/** The cards of a carousel, two to ten: each with a file and a link, with a file and buttons, or with a product. */
export function CardsPart({ label, about, value, onChange, errors, nested }: PartProps) {
  const { t } = useTranslation("build");
  const cards = items(value);
  const kind = KINDS.findLast((one) => cards[0]?.[one] !== undefined) ?? "cta_url";
  const first = cards.length === 0;
  return (
    <fieldset className="build-list">
      <legend>{label}</legend>
      {about && <Input.Description>{about}</Input.Description>}
      {!first && (
        <Select
          label={t("form.cardKind")}
          data={KINDS.map((one) => ({ value: one, label: t(`card.${one}`) }))}
          value={kind}
          onChange={(next) => onChange(cards.map((card) => turned(card, next as Kind)))}
        />
      )}
      <ListPart
        label={t("form.cards")}
        add={t("form.addTo.carousel")}
        items={cards}
        fresh={() => FRESH[kind]}
        onChange={onChange}
        error={errors[""]}
      >
        {(card, change, index) => {
          const own = below(errors, `[${index}]`);
          return (
            <>
              <strong>{t("form.card", { number: index + 1 })}</strong>
              <Fields
                fields={fieldsOf(card, kind)}
                value={card}
                onChange={change}
                errors={own}
                nested={nested}
              />
              {own[""] && <Input.Error>{own[""]}</Input.Error>}
            </>
          );
        }}
      </ListPart>
    </fieldset>
  );
}
