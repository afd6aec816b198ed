import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Problem } from "../../ui/Problem.tsx";

/** Fetches a file with the person's token, and lets the browser save it. */
export function Download({ name, file }: { name: string; file: () => Promise<Blob> }) {
  const { t } = useTranslation("measure");
  const fetching = useMutation({
    mutationFn: file,
    onSuccess: (blob) => {
      const url = URL.createObjectURL(blob);
      const link = document.createElement("a");
      link.href = url;
      link.download = name;
      link.click();
      URL.revokeObjectURL(url);
    },
  });
  return (
    <>
      <Button variant="default" loading={fetching.isPending} onClick={() => fetching.mutate()}>
        {t("download")}
      </Button>
      {fetching.isError && <Problem error={fetching.error} />}
    </>
  );
}
