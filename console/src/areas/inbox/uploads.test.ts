import { beforeEach, expect, test, vi } from "vitest";
import { answers, signInAs } from "../../testing/render.tsx";
import { storeFile } from "./queries.ts";

const UPLOAD = {
  id: "up-2",
  url: "https://bucket.example/media/uploads/acme/up-2?X-Amz-Signature=s",
  headers: { "Content-Type": "video/mp4", "Content-Disposition": "attachment" },
};
const PUT = "PUT /media/uploads/acme/up-2";

function video(size: number): File {
  return new File([new Uint8Array(size)], "festa.mp4", { type: "video/mp4" });
}

beforeEach(() => signInAs("agent"));

test("a file that does not fit into a request goes to the address that the API signs for it", async () => {
  const given = answers({ "POST /api/v1/media/uploads": UPLOAD, [PUT]: new Response() });
  vi.stubGlobal("fetch", given.fetch);
  expect(await storeFile(video(4_000_001))).toBe("up-2");
  const [begun, put] = given.asked;
  expect(begun?.body).toEqual({ mime_type: "video/mp4", size: 4_000_001, filename: "festa.mp4" });
  expect(put?.key).toBe(PUT);
  expect(put?.headers.get("content-type")).toBe("video/mp4");
  expect(put?.headers.get("authorization")).toBeNull();
});

test("a file that fits goes with the request", async () => {
  const given = answers({ "POST /api/v1/media": { id: "up-1" } });
  vi.stubGlobal("fetch", given.fetch);
  expect(await storeFile(video(4_000_000))).toBe("up-1");
  expect(given.asked).toHaveLength(1);
});

test("no file is stored when the bucket refuses the upload", async () => {
  const refused = new Response("<Error/>", { status: 403 });
  vi.stubGlobal("fetch", answers({ "POST /api/v1/media/uploads": UPLOAD, [PUT]: refused }).fetch);
  await expect(storeFile(video(4_000_001))).rejects.toMatchObject({ status: 403, code: "unexpected" });
});
