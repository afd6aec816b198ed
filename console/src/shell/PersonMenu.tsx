import { Avatar, Menu, SegmentedControl, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { LANGUAGES, switchLanguage, type Language } from "../i18n/words.ts";
import { session, type Person } from "../login/session.ts";
import { Icon } from "../ui/Icon.tsx";
import { initialsOf } from "../ui/names.ts";

const SCHEMES = ["light", "dark", "auto"] as const;

/** Who has signed in; language, light and dark, and the way out. */
export function PersonMenu({ person }: { person: Person }) {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  return (
    <Menu position="top-start" width={260} withinPortal>
      <Menu.Target>
        <UnstyledButton className="shell-person" aria-label={t("person.menu", { name: person.name })}>
          <Avatar size={32} color="leaf" alt="">
            {initialsOf(person.name)}
          </Avatar>
          <span className="shell-person-text">
            <span className="shell-person-name">{person.name}</span>
            <span className="shell-person-role">
              {person.role ? t(`role.${person.role}`) : ""} · {person.organization}
            </span>
          </span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("language")}</Menu.Label>
        {(Object.entries(LANGUAGES) as [Language, string][]).map(([code, name]) => (
          <Menu.Item
            key={code}
            lang={code}
            aria-current={i18n.language === code}
            leftSection={<Icon name={i18n.language === code ? "check" : "language"} size={16} />}
            onClick={() => void switchLanguage(code)}
          >
            {name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label id="scheme">{t("scheme.name")}</Menu.Label>
        <SegmentedControl
          fullWidth
          size="xs"
          aria-labelledby="scheme"
          value={colorScheme}
          onChange={(value) => setColorScheme(value as (typeof SCHEMES)[number])}
          data={SCHEMES.map((value) => ({ value, label: t(`scheme.${value}`) }))}
        />
        <Menu.Divider />
        <Menu.Item leftSection={<Icon name="leave" size={16} />} onClick={() => void session().signOut()}>
          {t("signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
