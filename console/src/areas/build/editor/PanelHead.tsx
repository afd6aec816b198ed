import { ActionIcon, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Icon, type IconName } from "../../../ui/Icon.tsx";

export interface Tool {
  label: string;
  icon: IconName;
  color?: string;
  onClick: () => void;
}

/** The head of a panel beside the canvas: what it shows, and what can be done with all of it. */
export function PanelHead({
  icon,
  title,
  tools,
}: {
  icon?: ReactNode;
  title: string;
  tools: readonly Tool[];
}) {
  return (
    <header className="build-form-head">
      {icon}
      <Title order={2} size="h4">
        {title}
      </Title>
      <span className="build-form-tools">
        {tools.map((tool) => (
          <ActionIcon
            key={tool.label}
            variant="subtle"
            color={tool.color ?? "gray"}
            aria-label={tool.label}
            title={tool.label}
            onClick={tool.onClick}
          >
            <Icon name={tool.icon} size={16} />
          </ActionIcon>
        ))}
      </span>
    </header>
  );
}
