import { ActionIcon, Badge, Button, Menu } from "@mantine/core";
import { memo, type RefObject } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Icon, type IconName } from "../../../ui/Icon.tsx";
import { useProblemText } from "../../../ui/Problem.tsx";
import { download } from "../download.ts";
import { useActions, type Panel } from "./state.tsx";
import type { useDraft } from "./useDraft.ts";

/** What is open over the canvas. */
export type DialogName = "publish" | "versions" | "search" | "languages" | "settings";

interface ToolbarProps {
  heading: RefObject<HTMLHeadingElement | null>;
  /** What the flow is called. */
  name: string;
  draft: ReturnType<typeof useDraft>["state"];
  panel: Panel;
  problems: number;
  onPanel: (panel: Panel) => void;
  onLayout: () => Promise<void>;
  onComment: () => void;
  onDialog: (dialog: DialogName) => void;
}

/** The flow's name, whether it is saved, and what can be done with it. */
export const Toolbar = memo(function Toolbar({
  heading,
  name,
  draft,
  panel,
  problems,
  onPanel,
  onLayout,
  onComment,
  onDialog,
}: ToolbarProps) {
  const { t } = useTranslation(["build", "shell"]);
  const { latest } = useActions();
  const problemText = useProblemText();
  const failed = draft.saving === "failed";
  const tool = (icon: IconName, label: string, onClick: (() => void) | undefined) => (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={label}
      title={label}
      disabled={!onClick}
      onClick={onClick}
    >
      <Icon name={icon} size={18} />
    </ActionIcon>
  );
  function exported() {
    const { document } = latest();
    download(`${document.id}.json`, JSON.stringify(document, null, 2));
  }
  const toggle = (next: Panel) => onPanel(panel === next ? undefined : next);
  return (
    <header className="build-toolbar">
      <ActionIcon
        component={Link}
        to="/build"
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={t("toolbar.back")}
        title={t("toolbar.back")}
      >
        <Icon name="back" size={18} />
      </ActionIcon>
      <h1 className="build-title" tabIndex={-1} ref={heading}>
        {name}
      </h1>
      <span className="build-saving" role="status">
        {t(`saving.${draft.saving}`)}
        {failed && ` ${problemText(draft.error)}`}
      </span>
      {failed && (
        <Button size="compact-xs" variant="default" onClick={() => void draft.save()}>
          {t("shell:again")}
        </Button>
      )}
      <span className="build-tools">
        {tool("undo", t("toolbar.undo"), draft.undo)}
        {tool("redo", t("toolbar.redo"), draft.redo)}
        {tool("search", t("toolbar.search"), () => onDialog("search"))}
        {tool("layout", t("toolbar.layout"), () => void onLayout())}
        <Menu withinPortal position="bottom-end">
          <Menu.Target>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={t("toolbar.more")}
              title={t("toolbar.more")}
            >
              <Icon name="more" size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={onComment}>{t("comment.add")}</Menu.Item>
            <Menu.Item onClick={() => toggle("tests")}>{t("tests.title")}</Menu.Item>
            <Menu.Item onClick={() => onDialog("settings")}>{t("settings.title")}</Menu.Item>
            <Menu.Item onClick={() => onDialog("languages")}>{t("languages.title")}</Menu.Item>
            <Menu.Item onClick={() => toggle("json")}>{t("toolbar.json")}</Menu.Item>
            <Menu.Item onClick={() => onDialog("versions")}>{t("versions.title")}</Menu.Item>
            <Menu.Item onClick={exported}>{t("toolbar.export")}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
        <Button
          variant={panel === "rehearsal" ? "filled" : "default"}
          aria-pressed={panel === "rehearsal"}
          onClick={() => toggle("rehearsal")}
        >
          {t("toolbar.rehearse")}
        </Button>
        <Button
          onClick={() => onDialog("publish")}
          rightSection={
            problems > 0 && (
              <Badge size="sm" circle color="yellow" aria-label={t("canvas.findings", { count: problems })}>
                {problems}
              </Badge>
            )
          }
        >
          {t("publish.publish")}
        </Button>
      </span>
    </header>
  );
});
