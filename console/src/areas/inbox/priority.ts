import { useTranslation } from "react-i18next";

export const PRIORITIES = ["urgent", "high", "normal", "low"] as const;

/** Names priorities in the person's language. A flow may give others: they are shown as they are. */
export function usePriorityName(): (priority: unknown) => string {
  const { t } = useTranslation("inbox");
  return (priority) => {
    const known = PRIORITIES.find((one) => one === priority);
    return known ? t(`share.priority.${known}`) : String(priority);
  };
}
