import { Menu } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { NodeType } from "../../../flow/document.ts";
import { PALETTE, TypeIcon } from "./TypeIcon.tsx";

interface AddMenuProps {
  at: { x: number; y: number };
  onChoose: (type: NodeType) => void;
  onClose: () => void;
}

/** The types of nodes, where an arrow was dropped on nothing: the chosen one is put there and connected. */
export function AddMenu({ at, onChoose, onClose }: AddMenuProps) {
  const { t } = useTranslation("build");
  return (
    <Menu opened onClose={onClose} position="right-start" withinPortal shadow="md">
      <Menu.Target>
        <span className="build-add-anchor" style={{ left: at.x, top: at.y }} />
      </Menu.Target>
      <Menu.Dropdown className="build-add" aria-label={t("canvas.add")}>
        {PALETTE.flatMap(([, types]) => types)
          .filter((type) => type !== "start")
          .map((type) => (
            <Menu.Item key={type} leftSection={<TypeIcon type={type} />} onClick={() => onChoose(type)}>
              {t(`type.${type}`)}
            </Menu.Item>
          ))}
      </Menu.Dropdown>
    </Menu>
  );
}
