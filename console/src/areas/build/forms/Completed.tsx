import { TextInput, type TextInputProps } from "@mantine/core";
import { useId, useMemo, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from "react";
import { useTranslation } from "react-i18next";
import { announce } from "../../../ui/announce.ts";
import { useInspected } from "../editor/state.tsx";
import { completed, FILTER_OFFERS, matching, placeAt, type Offer, type Place } from "./completion.ts";

const BUILT_IN: readonly Offer[] = [
  ["contact.name", "text", "Ana Souza"],
  ["contact.phone", "text", "+5511987654321"],
  ["contact.language", "text", "pt_BR"],
  ["input.text", "text", ""],
  ["now", "date", "2026-12-31T18:30:00-03:00"],
  ["today", "date", "2026-12-31"],
  ["answers", "list", ""],
].map(([name, kind, example]) => ({ name: name!, insert: name!, kinds: [kind!], example: example! }));

const LISTED = 3;

/** Return what can be written between double braces: the flow's variables with what they can be, and built-in values. */
function useValues(): readonly Offer[] {
  const { inspection } = useInspected();
  return useMemo(() => {
    const own = (inspection?.completion.variables ?? []).map(({ name, kinds, values }) => ({
      name,
      insert: name,
      kinds,
      example: (values ?? [])
        .filter((value) => value !== null && value !== "")
        .slice(0, LISTED)
        .join(", "),
    }));
    return [...own, ...BUILT_IN.filter(({ name }) => !own.some((one) => one.name === name))];
  }, [inspection]);
}

type Area = HTMLInputElement | HTMLTextAreaElement;

/** Offers variables and filters while a person writes between double braces: arrows choose, Enter or Tab takes, Escape closes. */
export function useCompletion<Field extends Area>(
  field: RefObject<Field | null>,
  text: string,
  onChange: (text: string) => void,
) {
  const { t } = useTranslation("build");
  const values = useValues();
  const id = useId();
  const [place, setPlace] = useState<Place>();
  const [chosen, setChosen] = useState(0);
  const offers = place ? matching(place.kind === "filter" ? FILTER_OFFERS : values, place.word) : [];
  const opened = offers.length > 0 && !(offers.length === 1 && offers[0]!.insert === place?.word);

  function follow(area: Area) {
    const next = placeAt(area.value, area.selectionStart ?? area.value.length);
    if (next && !place) announce(t("completion.opened"));
    setPlace(next);
    setChosen(0);
  }

  function take(offer: Offer) {
    const area = field.current;
    if (!area || !place) return;
    const after = completed(text, area.selectionStart ?? text.length, place, offer);
    onChange(after.text);
    setPlace(undefined);
    requestAnimationFrame(() => {
      area.focus();
      area.setSelectionRange(after.caret, after.caret);
    });
  }

  function pressed(event: KeyboardEvent) {
    if (!opened || event.nativeEvent.isComposing) return;
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) setChosen((chosen + move + offers.length) % offers.length);
    else if (event.key === "Enter" || event.key === "Tab") take(offers[chosen]!);
    else if (event.key === "Escape") setPlace(undefined);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return {
    props: {
      ref: field,
      value: text,
      onChange: ({ currentTarget }: { currentTarget: Area }) => {
        onChange(currentTarget.value);
        follow(currentTarget);
      },
      onSelect: ({ currentTarget }: { currentTarget: Area }) => place && follow(currentTarget),
      onBlur: () => setPlace(undefined),
      onKeyDown: pressed,
      "aria-autocomplete": "list" as const,
      "aria-controls": opened ? id : undefined,
      "aria-activedescendant": opened ? `${id}-${chosen}` : undefined,
    },
    list: opened && <Offers id={id} offers={offers} chosen={chosen} onTake={take} />,
  };
}

interface OffersProps {
  id: string;
  offers: readonly Offer[];
  chosen: number;
  onTake: (offer: Offer) => void;
}

function Offers({ id, offers, chosen, onTake }: OffersProps) {
  const { t } = useTranslation("build");
  return (
    <div id={id} role="listbox" aria-label={t("completion.name")} className="build-offers">
      {offers.map((offer, index) => (
        // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the field has the keys of this list
        <div
          key={offer.name}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === chosen}
          onMouseDown={(event) => event.preventDefault()} // the field keeps the focus
          onClick={() => onTake(offer)}
        >
          <code>{offer.name}</code>
          <span className="build-offer-kind">
            {offer.kinds.map((kind) => t(`kind.${kind as "text"}`)).join(", ")}
          </span>
          {offer.example && <span className="build-offer-example">{offer.example}</span>}
        </div>
      ))}
    </div>
  );
}

interface ExpressionInputProps extends Omit<TextInputProps, "value" | "onChange" | "ref"> {
  value: string;
  onChange: (value: string) => void;
}

/** A line in which values and filters are offered between double braces. */
export function ExpressionInput({ value, onChange, ...rest }: ExpressionInputProps): ReactNode {
  const field = useRef<HTMLInputElement>(null);
  const { props, list } = useCompletion(field, value, onChange);
  return (
    <div className="build-text">
      <TextInput {...rest} {...props} autoComplete="off" />
      {list}
    </div>
  );
}
