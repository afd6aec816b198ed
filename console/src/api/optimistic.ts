import {
  useMutation,
  useMutationState,
  useQueryClient,
  type MutationKey,
  type UseMutationOptions,
} from "@tanstack/react-query";

/** A change that is not stored: on its way, or failed with an error. */
export interface Unsettled<Change> {
  id: number;
  change: Change;
  /** When it was made, in milliseconds since 1970. */
  at: number;
  error: Error | null;
}

/** The changes below a key that are not stored. */
export function useUnsettled<Change>(mutationKey: MutationKey): Unsettled<Change>[] {
  return useMutationState({
    filters: { mutationKey, predicate: ({ state }) => state.status !== "success" },
    select: ({ mutationId: id, state: { variables, submittedAt: at, error } }) => {
      return { id, change: variables as Change, at, error };
    },
  });
}

/**
 * Make changes that are shown before they are stored, one after the other. They are kept beside what was read: reading it again
 * does not hide them, and without a failed one the old state shows. A failed one is kept until it is made again or dropped, also
 * while the person is elsewhere.
 */
export function useOptimistic<Change, Stored>(
  options: UseMutationOptions<Stored, Error, Change> & { mutationKey: MutationKey },
) {
  const queries = useQueryClient();
  const cache = queries.getMutationCache();
  const all = { ...options, scope: { id: JSON.stringify(options.mutationKey) }, gcTime: Infinity };
  const { mutate } = useMutation(all);
  const find = (id: number) => cache.getAll().find(({ mutationId }) => mutationId === id);
  const drop = (id: number) => {
    const found = find(id);
    if (found) cache.remove(found);
  };
  return {
    make: (change: Change) => {
      for (const done of cache.findAll({ mutationKey: options.mutationKey, status: "success" }))
        cache.remove(done);
      mutate(change);
    },
    makeAgain: (id: number, change: Change) =>
      void find(id)
        ?.execute(change)
        .catch(() => undefined),
    drop,
    /** Show a change that failed in a page that is gone. */
    restore: (change: Change, at: number, error: Error) => {
      const state = {
        context: undefined,
        data: undefined,
        failureCount: 1,
        failureReason: error,
        isPaused: false,
      };
      cache.build(queries, queries.defaultMutationOptions(all), {
        ...state,
        error,
        status: "error",
        variables: change,
        submittedAt: at,
      });
    },
  };
}
