import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { isLibraryFile } from "../../../api/files.ts";
import { StoredImage } from "../../../ui/files/lazy.tsx";

interface BubbleProps {
  from: "bot" | "person";
  text?: string | undefined;
  header?: string | undefined;
  footer?: string | undefined;
  media?: { type: string; link?: string | undefined; id?: string | undefined } | undefined;
  options?: readonly string[];
  onOption?: ((index: number) => void) | undefined;
  /** What the message holds besides: contacts, products. */
  children?: ReactNode;
}

const MARKS: readonly (readonly [RegExp, (text: string, key: number) => ReactNode])[] = [
  [/\*([^*\n]+)\*/, (text, key) => <strong key={key}>{text}</strong>],
  [/_([^_\n]+)_/, (text, key) => <em key={key}>{text}</em>],
  [/~([^~\n]+)~/, (text, key) => <s key={key}>{text}</s>],
  [/```([^`]+)```/, (text, key) => <code key={key}>{text}</code>],
  [
    /\{\{([^{}]+)\}\}/,
    (text, key) => (
      <span key={key} className="build-value">
        {text.trim()}
      </span>
    ),
  ],
];

/** A text as WhatsApp shows it: bold, italic, struck, monospaced; values of variables stand out. */
export function formatted(text: string, at = 0): ReactNode[] {
  const found = MARKS.map(([mark, show]) => ({ match: mark.exec(text), show }))
    .filter(({ match }) => match)
    .toSorted((one, other) => one.match!.index - other.match!.index)[0];
  if (!found?.match) return [text];
  const { match, show } = found;
  const rest = text.slice(match.index + match[0].length);
  return [
    text.slice(0, match.index),
    show(match[1]!, at + match.index),
    ...formatted(rest, at + match.index + match[0].length),
  ];
}

const NO_OPTIONS: readonly string[] = [];

/** A message as a phone shows it. */
export function Bubble({ from, text, header, footer, media, options = NO_OPTIONS, ...rest }: BubbleProps) {
  const { onOption, children } = rest;
  const { t } = useTranslation("build");
  return (
    <div className={`build-bubble is-${from}`}>
      {media && (
        <div className="build-bubble-media">
          {media.type === "image" && media.link && !media.link.includes("{{") ? (
            <img src={media.link} alt="" />
          ) : media.type === "image" && isLibraryFile(media.id) ? (
            <StoredImage id={media.id} otherwise={t("media.image")} />
          ) : (
            t(`media.${media.type as "image"}`)
          )}
        </div>
      )}
      {header && <strong className="build-bubble-header">{header}</strong>}
      {text && <div className="build-bubble-text">{...formatted(text)}</div>}
      {children}
      {footer && <div className="build-bubble-footer">{footer}</div>}
      {options.length > 0 && (
        <div className="build-bubble-options">
          {options.map((option, index) =>
            onOption ? (
              <button key={`${index} ${option}`} type="button" onClick={() => onOption(index)}>
                {option}
              </button>
            ) : (
              <span key={`${index} ${option}`}>{option || "…"}</span>
            ),
          )}
        </div>
      )}
    </div>
  );
}
