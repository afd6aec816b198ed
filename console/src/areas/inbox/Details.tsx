import { Badge } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Values } from "../../ui/Values.tsx";
import { AssignmentPart } from "./AssignmentPart.tsx";
import { Notes } from "./Notes.tsx";
import { usePriorityName } from "./priority.ts";
import type { ConversationState, Key } from "./queries.ts";
import { clock, day } from "./times.ts";

/** What is known of the person: why they wait, what they answered, what the organization keeps of them. */
export function Details({ conversationKey, state }: { conversationKey: Key; state: ConversationState }) {
  const { t } = useTranslation("inbox");
  const nameOfPriority = usePriorityName();
  const { handoff } = state;
  return (
    <aside className="inbox-details" aria-label={t("details.name")}>
      <Part title={t("share.title")}>
        <AssignmentPart conversationKey={conversationKey} assignment={state.assignment} />
      </Part>
      {handoff && (
        <Part title={t("details.handoff")}>
          <Values
            onlyKnown
            className="inbox-facts"
            of={{
              [t("details.since")]: `${day(handoff.at)}, ${clock(handoff.at)}`,
              [t("details.reason")]: t(handoff.reason === "command" ? "reason.command" : "reason.flow"),
              [t("details.department")]: handoff.department,
              [t("details.priority")]: handoff.priority == null ? null : nameOfPriority(handoff.priority),
              [t("details.note")]: handoff.note,
            }}
          />
        </Part>
      )}
      <Part title={t("details.answers")}>
        <Values of={state.variables} none={t("details.noAnswers")} onlyKnown className="inbox-facts" />
      </Part>
      <Part title={t("details.contact")}>
        <Values
          onlyKnown
          className="inbox-facts"
          of={{
            [t("details.phone")]: state.phone,
            [t("details.language")]: state.language,
            ...state.fields,
          }}
        />
        {state.tags.length > 0 && (
          <div className="inbox-item-badges">
            {state.tags.map((tag) => (
              <Badge key={tag} variant="light" color="gray">
                {tag}
              </Badge>
            ))}
          </div>
        )}
      </Part>
      <Part title={t("notes.title")}>
        <Notes conversationKey={conversationKey} />
      </Part>
      {state.flow_id && (
        <Part title={t("details.flow")}>
          <Values
            onlyKnown
            className="inbox-facts"
            of={{
              [t("details.flowId")]: state.sub_flow_id ?? state.flow_id,
              [t("details.version")]: state.flow_version,
              [t("details.node")]: state.node_id,
            }}
          />
        </Part>
      )}
    </aside>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  );
}
