import { ActionIcon, Button, Menu, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { locale } from "../../i18n/words.ts";
import { Form } from "../../ui/Form.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { formatted } from "../../ui/marks.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { act, removePhone, screenQuery, type Act, type Entry } from "./queries.ts";

const STATES = ["sent", "delivered", "read", "failed"] as const;
const RECIFE = { latitude: -8.05, longitude: -34.9 };

/** A phone: what is on its screen, and what its person does. */
export function Handset({ phone, number }: { phone: string; number: string }) {
  const { t } = useTranslation("try");
  const queries = useQueryClient();
  const screen = useQuery(screenQuery(phone));
  const [text, setText] = useState("");
  const refresh = () => queries.invalidateQueries({ queryKey: ["screen", phone] });
  const acting = useMutation({ mutationFn: (what: Act) => act(phone, what, number), onSuccess: refresh });
  const removing = useMutation({
    mutationFn: () => removePhone(phone),
    onSuccess: () => Promise.all([refresh(), queries.invalidateQueries({ queryKey: ["phones"] })]),
  });
  const write = () => {
    if (!text.trim()) return;
    acting.mutate({ text });
    setText("");
  };
  const failed = screen.error ?? acting.error ?? removing.error;
  return (
    <section className="try-handset" aria-label={t("screen", { phone })}>
      <Screen
        messages={screen.data?.messages ?? []}
        typing={screen.data?.typing ?? false}
        tap={(id) => acting.mutate({ reply_id: id })}
      />
      {failed && <Problem error={failed} />}
      <Form className="try-write" onSubmit={() => write()}>
        <Menu position="top-start">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("more")}>
              <Icon name="plus" />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {(["image", "audio", "document"] as const).map((type) => (
              <Menu.Item key={type} onClick={() => acting.mutate({ media: { type } })}>
                {t(`send.${type}`)}
              </Menu.Item>
            ))}
            <Menu.Item onClick={() => acting.mutate({ location: RECIFE })}>{t("send.location")}</Menu.Item>
            <Menu.Divider />
            <Menu.Item color="red" onClick={() => removing.mutate()}>
              {t("remove")}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
        <TextInput
          className="try-text"
          aria-label={t("write")}
          placeholder={t("write")}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Button type="submit" disabled={!text.trim()}>
          {t("send.text")}
        </Button>
      </Form>
    </section>
  );
}

interface ScreenProps {
  messages: Entry[];
  typing: boolean;
  tap: (id: string) => void;
}

function Screen({ messages, typing, tap }: ScreenProps) {
  const { t } = useTranslation("try");
  const list = useRef<HTMLDivElement>(null);
  const count = useRef(0);
  useLayoutEffect(() => {
    if (list.current && count.current !== messages.length) list.current.scrollTop = list.current.scrollHeight;
    count.current = messages.length;
  });
  return (
    <div
      className="try-screen"
      role="log"
      aria-label={t("messages")}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- people scroll it by keyboard
      tabIndex={0}
      ref={list}
    >
      {messages.length === 0 && <p className="quiet try-empty">{t("empty")}</p>}
      {messages.map((message) => (
        <Bubble key={message.seq} message={message} tap={tap} />
      ))}
      {typing && <p className="quiet flush">{t("typing")}</p>}
    </div>
  );
}

function Bubble({ message, tap }: { message: Entry; tap: (id: string) => void }) {
  const { t } = useTranslation("try");
  const time = new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit" });
  const state = STATES.find((one) => one === message.status);
  const choices = message.buttons ?? message.rows ?? [];
  return (
    <article className="try-bubble" data-direction={message.direction}>
      <p>{...formatted(message.text || t("noText", { type: message.type }))}</p>
      {choices.map(({ id, title, description }) => (
        <button key={id} type="button" className="try-choice" onClick={() => tap(id)}>
          {title}
          {description && <span className="quiet"> {description}</span>}
        </button>
      ))}
      <footer className="quiet">
        {time.format(message.timestamp * 1000)}
        {state && ` · ${t(`state.${state}`)}`}
      </footer>
    </article>
  );
}
