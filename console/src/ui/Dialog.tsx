import { Modal, type ModalProps } from "@mantine/core";
import { useTranslation } from "react-i18next";

/** A dialog over the page. Its button to close has a name, and the page behind it needs no lock, since it does not scroll. */
export function Dialog(props: ModalProps) {
  const { t } = useTranslation();
  return <Modal lockScroll={false} closeButtonProps={{ "aria-label": t("close") }} {...props} />;
}
