import { Button } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "./Problem.tsx";
import { Dialog } from "./Dialog.tsx";

interface ConfirmProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  text: string;
  /** What the button says that does it. */
  action: string;
  color?: string;
  /** Whether something is missing before it can be done. */
  disabled?: boolean;
  /** A change that is shown before it is stored has nothing to wait for here. */
  doing: Partial<Pick<UseMutationResult, "error" | "isPending">> & { mutate: () => void };
  /** What stands between the text and the buttons. */
  children?: ReactNode;
}

/** Asks before something that cannot be undone. */
export function Confirm({
  opened,
  onClose,
  title,
  text,
  action,
  color,
  disabled,
  doing,
  children,
}: ConfirmProps) {
  const { t } = useTranslation();
  return (
    <Dialog opened={opened} onClose={onClose} title={title} centered>
      <p className="flush">{text}</p>
      {children}
      {doing.error && <Problem error={doing.error} />}
      <div className="form-buttons">
        <Button variant="default" onClick={onClose}>
          {t("cancel")}
        </Button>
        <Button
          {...(color ? { color } : {})}
          disabled={disabled ?? false}
          loading={doing.isPending ?? false}
          onClick={() => doing.mutate()}
        >
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
