import { queryOptions } from "@tanstack/react-query";
import type { components } from "../generated/api.ts";
import { api, got, gotPages } from "./client.ts";
import { ApiError, apiError } from "./errors.ts";

export type StoredFile = components["schemas"]["StoredMedia"];
export type FileKind = "image" | "video" | "audio" | "document" | "sticker";

const LARGEST_IN_A_REQUEST = 4_000_000; // a third more in base64, and a request to the API has at most 6 MB
const UPLOAD_MILLISECONDS = 15 * 60_000; // a signed address is valid for as long
const LINK_MILLISECONDS = 4 * 60_000; // an address works for five minutes
const PAGE = 100;
const LIBRARY_FILE = "file-";

/** Whether this is the id of a library file, which flows and templates send. */
export function isLibraryFile(id: unknown): id is string {
  return typeof id === "string" && id.startsWith(LIBRARY_FILE);
}

/** How WhatsApp sends a file of this type. */
export function kindOf(mimeType: string): FileKind {
  const [family] = mimeType.split("/", 1);
  if (mimeType === "image/webp") return "sticker";
  return family === "image" || family === "video" || family === "audio" ? family : "document";
}

/** The library files, newest first. */
export function libraryQuery() {
  return queryOptions({
    queryKey: ["library"],
    queryFn: ({ signal }) =>
      gotPages((cursor) => api.GET("/api/v1/media", { params: { query: { limit: PAGE, cursor } }, signal })),
    staleTime: 30_000,
  });
}

/** The address of a file, for some minutes. */
export function linkQuery(media_id: string) {
  return queryOptions({
    queryKey: ["file-link", media_id],
    queryFn: ({ signal }) => linkOf(media_id, signal),
    staleTime: LINK_MILLISECONDS,
    gcTime: LINK_MILLISECONDS,
  });
}

function linkOf(media_id: string, signal?: AbortSignal) {
  const params = { path: { media_id } };
  return got(api.GET("/api/v1/media/{media_id}", { params, ...(signal ? { signal } : {}) }));
}

/** Download a file. Its address works for some minutes only, so it is asked for when it is needed. */
export async function download(media_id: string): Promise<void> {
  const { url } = await linkOf(media_id);
  globalThis.location.assign(url);
}

/** Delete a library file. */
export function deleteFile(media_id: string) {
  return got(api.DELETE("/api/v1/media/{media_id}", { params: { path: { media_id } } }));
}

/**
 * Store a file, so that it can be sent; its id. A large one goes to the bucket, by an address that the API signs for it;
 * `progress` is called with the part of it that has been sent. With `keep` it is a library file.
 */
export async function storeFile(
  file: File,
  { keep = false, progress }: { keep?: boolean; progress?: (part: number) => void } = {},
): Promise<string> {
  const described = {
    mime_type: file.type || "application/octet-stream",
    filename: file.name,
    ...(keep ? { keep } : {}),
  };
  if (file.size <= LARGEST_IN_A_REQUEST) {
    const body = { ...described, content: await base64(file) };
    return (await got(api.POST("/api/v1/media", { body }))).id;
  }
  const body = { ...described, size: file.size };
  const { id, url, headers } = await got(api.POST("/api/v1/media/uploads", { body }));
  await put(url, file, headers, progress);
  if (keep) await linkOf(id); // the API looks at the contents now, while the person is there
  return id;
}

/**
 * Put a file to an address that the API has signed; `progress` is called with the part of it that has been sent. The person's
 * token is not sent with it.
 */
function put(
  url: string,
  file: File,
  headers: Record<string, string>,
  progress: (part: number) => void = () => undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // `fetch` does not tell how much of a body has been sent
    request.open("PUT", url);
    request.timeout = UPLOAD_MILLISECONDS;
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    const failed = () => reject(new ApiError(0, navigator.onLine ? "unreachable" : "offline", ""));
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 0));
    request.addEventListener("error", failed);
    request.addEventListener("timeout", failed);
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(apiError(request.status, undefined));
    });
    request.send(file);
  });
}

function base64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result).split(",", 2)[1] ?? ""));
    reader.addEventListener("error", () => reject(reader.error ?? new Error("the file cannot be read")));
    reader.readAsDataURL(file);
  });
}
