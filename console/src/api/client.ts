import createClient, { type Middleware } from "openapi-fetch";
import type { paths } from "../generated/api.ts";
import { session } from "../login/session.ts";
import { setClock } from "../ui/now.ts";
import { ApiError, apiError } from "./errors.ts";

const REQUEST_MILLISECONDS = 31_000; // API Gateway answers within 30 s, or not at all

/** Sends the person's token with each request. */
const authorized: Middleware = {
  async onRequest({ request }) {
    request.headers.set("authorization", `Bearer ${await session().token()}`);
    return request;
  },
};

/** `fetch` whose failures are an `ApiError`, also without a connection. */
async function reliableFetch(request: Request, milliseconds: number): Promise<Response> {
  try {
    return await fetch(request, {
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(milliseconds)]),
    });
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new ApiError(0, navigator.onLine ? "unreachable" : "offline", "");
  }
}

/** Ask the REST API. With a token that it no longer takes, once more with a new one: the person notices nothing. */
async function answered(request: Request): Promise<Response> {
  const again = request.clone();
  const response = await reliableFetch(request, REQUEST_MILLISECONDS);
  setClock(response.headers.get("date"));
  if (response.status !== 401) return response;
  session().refused();
  const authorization = `Bearer ${await session().token()}`;
  if (authorization === request.headers.get("authorization")) return response;
  again.headers.set("authorization", authorization);
  return reliableFetch(again, REQUEST_MILLISECONDS);
}

/** The REST API, typed by its OpenAPI document. */
export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? "", fetch: answered });
api.use(authorized);

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** Return what the API answered, or throw its `ApiError`. */
export async function got<Data>(answer: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await answer;
  if (!response.ok) throw apiError(response.status, error);
  return data as Data;
}

/** A page of a list whose answers name the next one in `Link`, with the cursor of that. */
export async function pageOf<Entry>(
  answer: Promise<Answer<Entry[]>>,
): Promise<{ data: Entry[]; next: string | undefined }> {
  const page = await answer;
  const data = await got(Promise.resolve(page));
  const following = /<([^>]+)>/.exec(page.response.headers.get("link") ?? "")?.[1];
  const place = following && new URL(following, globalThis.location.origin).searchParams.get("cursor");
  return { data, next: place || undefined };
}

/** All entries of such a list. */
export async function gotPages<Entry>(
  ask: (cursor: string | undefined) => Promise<Answer<Entry[]>>,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  let cursor: string | undefined;
  do {
    // A page is known only when the one before has come.
    // oxlint-disable-next-line no-await-in-loop
    const { data, next } = await pageOf(ask(cursor));
    entries.push(...data);
    cursor = next;
  } while (cursor);
  return entries;
}

/** The same, with the tag of the answer for `If-Match`. */
export async function tagged<Data>(answer: Promise<Answer<Data>>): Promise<{ data: Data; tag: string }> {
  const waiting = await answer;
  return { data: await got(Promise.resolve(waiting)), tag: waiting.response.headers.get("etag") ?? "" };
}
