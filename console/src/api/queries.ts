import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./errors.ts";

const TRIES = 2;

/** Answers that are shown at once and read again in the background; only what can pass by itself is tried again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < TRIES && error instanceof ApiError && error.temporary,
    },
    mutations: { retry: false },
  },
});
