/** What the REST API answers instead of a result (RFC 9457), or what kept the request from it. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly body: Record<string, unknown>;

  constructor(status: number, code: string, detail: string, body: Record<string, unknown> = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.body = body;
  }

  /** Whether the same request can succeed later without a change. */
  get temporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Codes of the console itself, for answers that do not come from the REST API. */
const BY_STATUS: Record<number, string> = {
  401: "signed_out",
  413: "body_too_large",
  429: "too_many_requests",
};

/** Return the error that a failed response describes. */
export function apiError(status: number, body: unknown): ApiError {
  if (typeof body === "object" && body !== null && "code" in body && typeof body.code === "string") {
    const known = body as Record<string, unknown>;
    return new ApiError(status, body.code, String(known["detail"] ?? ""), known);
  }
  return new ApiError(
    status,
    BY_STATUS[status] ?? (status >= 500 ? "temporarily_unavailable" : "unexpected"),
    "",
  );
}
