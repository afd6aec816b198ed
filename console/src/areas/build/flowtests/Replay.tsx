import { Alert, Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, got } from "../../../api/client.ts";
import type { components } from "../../../generated/api.ts";
import { count, moment } from "../../../i18n/format.ts";
import { Problem } from "../../../ui/Problem.tsx";
import { ShowNode } from "../editor/ShowNode.tsx";
import { useEditor } from "../editor/state.tsx";
import { firstDifference, useStatusText } from "./useFailureText.ts";

type Difference = components["schemas"]["ReplayDifference"];

const SHOWN = 20;

/** What would change for the people of last week, if the draft had answered them. */
export function Replay() {
  const { t } = useTranslation("build");
  const { document } = useEditor();
  const replay = useMutation({
    mutationFn: () =>
      got(
        api.POST("/api/v1/flows/{flow_id}/replay", {
          params: { path: { flow_id: document.id } },
          body: {
            document: document as unknown as Record<string, never>,
            documents: {},
            days: 7,
            limit: 100,
          },
        }),
      ),
  });
  const found = replay.data;
  const all = found ? found.same + found.different + found.blocked : 0;
  return (
    <div className="build-replay">
      <Button
        size="compact-sm"
        variant="default"
        title={t("replay.about")}
        loading={replay.isPending}
        onClick={() => replay.mutate()}
      >
        {t("replay.replay")}
      </Button>
      {replay.isError && <Problem error={replay.error} />}
      {found && (
        <div role="status">
          {all === 0 && <p className="quiet flush">{t("replay.none")}</p>}
          {all > 0 && (
            <Alert color={found.different ? "yellow" : "leaf"} p="xs">
              {t("replay.summary", {
                same: count(found.same),
                different: count(found.different),
                blocked: count(found.blocked),
              })}{" "}
              {!found.complete && t("replay.newest")}
            </Alert>
          )}
        </div>
      )}
      {found && found.differences.length > 0 && (
        <ol className="build-tests-failed">
          {found.differences.slice(0, SHOWN).map((one) => (
            <Found key={one.number} found={one} />
          ))}
        </ol>
      )}
    </div>
  );
}

function Found({ found }: { found: Difference }) {
  const { t } = useTranslation("build");
  const status = useStatusText();
  const nothing = t("tests.nothing");
  return (
    <li>
      {t("replay.place", { time: moment(found.at), turn: found.turn })} {differs()}{" "}
      <ShowNode id={found.node_id} />
    </li>
  );

  function differs(): string {
    const [before, after] = firstDifference(found.recorded, found.now);
    if (found.part === "status")
      return t("replay.differs.status", { before: status(before), after: status(after) });
    if (found.part === "path" || found.part === "node_id")
      return t("replay.differs.path", { before: before ?? nothing, after: after ?? nothing });
    if (found.part !== "messages") return t("replay.differs.other");
    if (!found.recorded || !found.now) return t("replay.differs.hidden");
    return t("replay.differs.messages", { before: before ?? nothing, after: after ?? nothing });
  }
}
