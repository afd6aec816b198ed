import { Skeleton } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { moment, percent } from "../../i18n/format.ts";
import { Problem } from "../../ui/Problem.tsx";

interface PartProps<Data> {
  title?: string;
  about?: string;
  result: UseQueryResult<Data>;
  /** What takes its place until it is there, as high as it is. */
  waiting?: ReactNode;
  children: (found: Data) => ReactNode;
}

/** What one report shows, once it is there. */
export function Part<Data>({ title, about, result, waiting, children }: PartProps<Data>) {
  const { t } = useTranslation("measure");
  return (
    <section>
      {title && <h2>{title}</h2>}
      {about && <p className="quiet">{about}</p>}
      {result.isError && <Problem error={result.error} again={() => void result.refetch()} />}
      {result.isPending && (
        <>
          {waiting ?? <Skeleton height={120} />}
          {result.failureCount > 0 && <output className="quiet">{t("preparing")}</output>}
        </>
      )}
      {result.data && children(result.data)}
    </section>
  );
}

/** Numbers, each with its name. */
export function Figures({ shown }: { shown: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="measure-numbers">
      {shown.map(([name, value]) => (
        <div key={name}>
          <dt className="quiet">{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A share as a bar. `text` stands beside it in place of the percentage. */
export function Bar({ share, text }: { share: number; text?: string }) {
  return (
    <span className="measure-bar">
      <span className="measure-bar-track" aria-hidden="true">
        <span className="measure-bar-fill" style={{ width: `${share * 100}%` }} />
      </span>
      {text ?? percent(share)}
    </span>
  );
}

/** How fresh a report is. */
export function AsOf({ time }: { time: string | null }) {
  const { t } = useTranslation("measure");
  return <p className="quiet">{time ? t("asOf", { time: moment(time) }) : t("nothingYet")}</p>;
}
