import { queryOptions } from "@tanstack/react-query";
import type { components } from "../generated/api.ts";
import { api, got } from "./client.ts";

type Schemas = components["schemas"];
export type PhoneNumber = Schemas["NumberResponse"];
export type NumberChange = Schemas["NumberRequest"];

/** The organization's phone numbers. */
export function numbersQuery() {
  return queryOptions({
    queryKey: ["numbers"],
    queryFn: ({ signal }) => got(api.GET("/api/v1/numbers", { signal })),
  });
}

/** Return what the API takes of a number, so that a request can change a part and keep the rest. */
export function changeable(number: PhoneNumber): NumberChange {
  const {
    phone_number_id: _id,
    country: _country,
    stopped_at: _at,
    stopped_reason: _why,
    resuming: _resuming,
    ...rest
  } = number;
  return { ...rest, words: rest.words as NumberChange["words"] };
}

/** Connect a number, or change it. Secrets that are left out stay as they are. */
export function putNumber(phone_number_id: string, body: NumberChange) {
  return got(api.PUT("/api/v1/numbers/{phone_number_id}", { params: { path: { phone_number_id } }, body }));
}
