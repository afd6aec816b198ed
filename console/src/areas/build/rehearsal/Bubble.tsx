import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { isLibraryFile } from "../../../api/files.ts";
import { StoredImage } from "../../../ui/files/lazy.tsx";
import { formatted } from "../../../ui/marks.tsx";

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

const VALUE = /\{\{([^{}]+)\}\}/;

/** A text with the names of values standing out. */
function withValues(text: string): ReactNode[] {
  return text.split(VALUE).map((part, place) =>
    place % 2 === 0 ? (
      part
    ) : (
      // oxlint-disable-next-line react/no-array-index-key -- the same value may be named twice
      <span key={place} className="build-value">
        {part.trim()}
      </span>
    ),
  );
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
      {text && <div className="build-bubble-text">{...formatted(text, withValues)}</div>}
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
