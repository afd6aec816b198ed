import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { numbersQuery } from "../../api/numbers.ts";
import { Form } from "../../ui/Form.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { Handset } from "./Handset.tsx";
import { Turns } from "./Turns.tsx";
import { phonesQuery } from "./queries.ts";
import "./try.css";

const FIRST = "5511999990001";
const DIGITS = /\D/g;

/** Simulated phones that write to the organization's numbers. */
export function Try() {
  const { t } = useTranslation("try");
  const [search, setSearch] = useSearchParams();
  const phones = useQuery(phonesQuery());
  const numbers = useQuery(numbersQuery());
  const phone = search.get("phone") ?? FIRST;
  const number = search.get("number") ?? numbers.data?.[0]?.phone_number_id;
  const set = (changed: Record<string, string>) =>
    setSearch({ ...Object.fromEntries(search), ...changed }, { replace: true });
  const known = phones.data ?? [];
  const listed = known.some((one) => one.phone === phone) ? known : [{ phone, name: phone }, ...known];
  return (
    <Page title={t("title")}>
      <p className="flush">{t("about")}</p>
      {numbers.isError && <Problem error={numbers.error} again={() => void numbers.refetch()} />}
      {numbers.data?.length === 0 && <p>{t("noNumber")}</p>}
      {phones.isError && <Problem error={phones.error} again={() => void phones.refetch()} />}
      <div className="try">
        <div className="form">
          <NativeSelect
            label={t("phone")}
            value={phone}
            data={listed.map((one) => ({
              value: one.phone,
              label: one.name === one.phone ? `+${one.phone}` : `${one.name} (+${one.phone})`,
            }))}
            onChange={(event) => set({ phone: event.currentTarget.value })}
          />
          <NewPhone take={(taken) => set({ phone: taken })} />
          <NativeSelect
            label={t("number")}
            value={number ?? ""}
            data={(numbers.data ?? []).map((one) => ({
              value: one.phone_number_id,
              label: one.display_phone_number,
            }))}
            onChange={(event) => set({ number: event.currentTarget.value })}
          />
        </div>
        {number && <Handset key={phone} phone={phone} number={number} />}
        <Turns key={`turns ${phone}`} phone={phone} />
      </div>
    </Page>
  );
}

function NewPhone({ take }: { take: (phone: string) => void }) {
  const { t } = useTranslation("try");
  const [typed, setTyped] = useState("");
  const digits = typed.replaceAll(DIGITS, "");
  return (
    <Form
      className="try-new"
      onSubmit={() => {
        take(digits);
        setTyped("");
      }}
    >
      <TextInput
        label={t("another")}
        placeholder="+55 11 98888-0002"
        type="tel"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <Button type="submit" variant="default" disabled={digits.length < 7 || digits.length > 15}>
        {t("take")}
      </Button>
    </Form>
  );
}
