import { useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { useOptimistic, useUnsettled } from "../../api/optimistic.ts";
import type { components } from "../../generated/api.ts";
import { announce } from "../../ui/announce.ts";
import {
  conversationQuery,
  keyOf,
  type Assignment,
  type ConversationState,
  type Key,
  type Summary,
} from "./queries.ts";

type Page = components["schemas"]["ConversationPage"];
type Both = Summary | ConversationState;

/** What an agent sees of a change before it is stored. */
type Seen = Partial<Pick<ConversationState, "mode" | "status" | "handoff" | "wait" | "session">> & {
  assignment?: Partial<Assignment>;
};

interface Change {
  /** Where a failure is told. */
  part: "assignment" | "mode" | "read";
  seen: Seen;
  /** Store it over the last assignment that was read, and return what has changed. */
  store: (last: Assignment | undefined) => Promise<Partial<ConversationState>>;
  /** What is said when it is stored. */
  done?: string;
}

function changesOf(key: Key) {
  return ["conversation-change", key];
}

function changed<Read extends Both>(read: Read, seen: Seen): Read {
  return { ...read, ...seen, assignment: { ...read.assignment, ...seen.assignment } };
}

/** A conversation as it was read, with the changes that are on their way. */
export function useChanged<Read extends Both | undefined>(key: Key, read: Read): Read {
  const made = useUnsettled<Change>(changesOf(key)).filter(({ error }) => !error);
  return read && made.reduce<NonNullable<Read>>((one, { change }) => changed(one, change.seen), read);
}

/** Make changes of a conversation, in one of its parts. Gives the last one that failed there, and what makes it again. */
export function useChange(key: Key, part: Change["part"]) {
  const queries = useQueryClient();
  const { queryKey } = conversationQuery(key);
  const { make, makeAgain, drop } = useOptimistic<Change, Partial<ConversationState>>({
    mutationKey: changesOf(key),
    mutationFn: ({ store }) => store(queries.getQueryData(queryKey)?.assignment),
    onSuccess: async (stored, { seen, done }) => {
      // An answer that is under way may be older.
      await Promise.all([queryKey, ["conversations"]].map((one) => queries.cancelQueries({ queryKey: one })));
      queries.setQueryData(queryKey, (state) => state && { ...changed(state, seen), ...stored });
      queries.setQueriesData<InfiniteData<Page>>({ queryKey: ["conversations"] }, (list) => {
        const listed = (one: Page["conversations"][number]) =>
          JSON.stringify(keyOf(one)) === JSON.stringify(key) ? changed(one, seen) : one;
        const pages = list?.pages.map((page) => ({ ...page, conversations: page.conversations.map(listed) }));
        return list && pages && { ...list, pages };
      });
      if (done) announce(done);
    },
    onError: () => queries.invalidateQueries({ queryKey }),
    onSettled: () => {
      for (const read of [["notes", key], ["transcript", key], ["conversations"], ["conversation-counts"]])
        void queries.invalidateQueries({ queryKey: read });
    },
  });
  const failed = useUnsettled<Change>(changesOf(key)).filter(
    ({ change, error }) => error && change.part === part,
  );
  const last = failed.at(-1);
  return {
    change: (one: Omit<Change, "part">) => {
      for (const { id } of failed) drop(id);
      make({ part, ...one });
    },
    failed: last && { error: last.error, again: () => makeAgain(last.id, last.change) },
  };
}
