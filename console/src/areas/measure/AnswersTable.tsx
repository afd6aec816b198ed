import { Button, Skeleton, Table, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { locale } from "../../i18n/words.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { AnswerChart } from "./AnswerChart.tsx";
import { Download } from "./Download.tsx";
import { answersFile, answersQuery, type Answers, type Asked } from "./queries.ts";

const PAUSE = 300; // milliseconds without a key
const STATES = ["completed", "handed_off", "expired", "ended", "active"] as const;

/** What people answered: one row for each conversation, one column for each question. */
export function AnswersTable({ asked }: { asked: Asked }) {
  const { t } = useTranslation("measure");
  const { t: common } = useTranslation();
  const [search, setSearch] = useState("");
  const [value] = useDebouncedValue(search.trim(), PAUSE);
  const answers = useInfiniteQuery(answersQuery(asked, value));
  const first = answers.data?.pages[0];
  const rows = answers.data?.pages.flatMap((page) => page.rows) ?? [];
  return (
    <>
      <div className="measure-line">
        <TextInput
          type="search"
          aria-label={t("answers.search")}
          placeholder={t("answers.search")}
          leftSection={<Icon name="search" size={16} />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <Download name={`${asked.flow}-answers.csv`} file={() => answersFile(asked, value)} />
        {first && <span className="quiet">{t("answers.total", { count: first.total })}</span>}
      </div>
      {answers.isError && <Problem error={answers.error} again={() => void answers.refetch()} />}
      {answers.isPending && <Skeleton height={220} />}
      {first?.questions.length === 0 && <p>{t("answers.noQuestions")}</p>}
      {first && first.questions.length > 0 && rows.length === 0 && <p>{t("answers.none")}</p>}
      {first && rows.length > 0 && <AnswerChart questions={first.questions} counts={first.counts} />}
      {first && rows.length > 0 && <Rows questions={first.questions} rows={rows} />}
      {first?.truncated && <p className="quiet">{t("answers.truncated")}</p>}
      {answers.hasNextPage && (
        <Button
          variant="default"
          mt="md"
          loading={answers.isFetchingNextPage}
          onClick={() => void answers.fetchNextPage()}
        >
          {common("more")}
        </Button>
      )}
    </>
  );
}

function stateOf(state: string) {
  return STATES.find((one) => one === state);
}

function Rows({ questions, rows }: Pick<Answers, "questions" | "rows">) {
  const { t } = useTranslation("measure");
  const date = new Intl.DateTimeFormat(locale(), { dateStyle: "short", timeStyle: "short" });
  return (
    <Table className="measure-table" verticalSpacing="xs">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t("answers.began")}</Table.Th>
          <Table.Th>{t("answers.state")}</Table.Th>
          {questions.map(({ variable, question }) => (
            <Table.Th key={variable}>
              {question ?? variable}
              <div className="quiet">{variable}</div>
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((row) => (
          <Table.Tr key={row.session}>
            <Table.Td>{date.format(new Date(row.started_at))}</Table.Td>
            <Table.Td>{stateOf(row.state) ? t(`state.${stateOf(row.state)!}`) : row.state}</Table.Td>
            {questions.map(({ variable }) => (
              <Table.Td key={variable}>{row.answers[variable] ?? ""}</Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
