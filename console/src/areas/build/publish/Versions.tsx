import { Badge, Button, Skeleton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useColleagues } from "../../../api/colleagues.ts";
import { api, got } from "../../../api/client.ts";
import { locale } from "../../../i18n/words.ts";
import { Confirm } from "../../../ui/Confirm.tsx";
import { Problem } from "../../../ui/Problem.tsx";
import { flowsQuery } from "../../../api/flows.ts";
import { versionsQuery } from "../queries.ts";
import { Dialog } from "../../../ui/Dialog.tsx";

interface VersionsProps {
  flowId: string;
  onCompare: (version: number) => void;
  onClose: () => void;
}

/** The published versions of a flow: who published what when, and the way back to one. */
export function Versions({ flowId, onCompare, onClose }: VersionsProps) {
  const { t } = useTranslation("build");
  const { nameOf } = useColleagues();
  const client = useQueryClient();
  const versions = useQuery(versionsQuery(flowId));
  const flows = useQuery(flowsQuery());
  const current = flows.data?.find(({ flow_id }) => flow_id === flowId)?.published_version;
  const back = useMutation({
    mutationFn: (version: number) =>
      got(
        api.POST("/api/v1/flows/{flow_id}/rollback", {
          params: { path: { flow_id: flowId } },
          body: { version },
        }),
      ),
    onSuccess: async () => {
      await Promise.all([
        client.invalidateQueries({ queryKey: ["flows"] }),
        client.invalidateQueries({ queryKey: ["versions", flowId] }),
      ]);
      setChosen(undefined);
    },
  });
  const [chosen, setChosen] = useState<number>();
  return (
    <Dialog opened onClose={onClose} title={t("versions.title")}>
      {versions.isPending && <Skeleton height={120} />}
      {versions.isError && <Problem error={versions.error} again={() => void versions.refetch()} />}
      {versions.data?.length === 0 && <p>{t("versions.none")}</p>}
      <ul className="build-versions">
        {(versions.data ?? []).map(({ version, published_at, published_by }) => (
          <li key={version}>
            <span>
              <strong>{t("versions.version", { version })}</strong>{" "}
              {version === current && <Badge color="leaf">{t("versions.current")}</Badge>}
              <span className="quiet build-block">
                {t("versions.by", {
                  time: new Date(published_at).toLocaleString(locale()),
                  person: nameOf(published_by),
                })}
              </span>
            </span>
            <Button
              size="xs"
              variant="subtle"
              aria-label={`${t("differences.compare")}: ${t("versions.version", { version })}`}
              onClick={() => onCompare(version)}
            >
              {t("differences.compare")}
            </Button>
            {version !== current && (
              <Button size="xs" variant="default" onClick={() => setChosen(version)}>
                {t("versions.back")}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {chosen !== undefined && (
        <Confirm
          opened
          onClose={() => setChosen(undefined)}
          title={t("versions.backTitle", { version: chosen })}
          text={t("versions.backText", { version: chosen })}
          action={t("versions.back")}
          doing={{ ...back, mutate: () => back.mutate(chosen) }}
        />
      )}
    </Dialog>
  );
}
