import { beforeEach, expect, test, vi } from "vitest";
import { answers, signInAs } from "../testing/render.tsx";
import { storeFile } from "./files.ts";

const UPLOAD = {
  id: "up-2",
  url: "https://bucket.example/media/uploads/acme/up-2?X-Amz-Signature=s",
  headers: { "Content-Type": "video/mp4", "Content-Disposition": "attachment" },
};

function video(size: number): File {
  return new File([new Uint8Array(size)], "festa.mp4", { type: "video/mp4" });
}

interface Put {
  place: string;
  headers: Record<string, string>;
}

/** The bucket answers uploads with this status, after half of the file. */
function bucket(status: number): Put[] {
  const puts: Put[] = [];
  class Upload extends EventTarget {
    upload = new EventTarget();
    status = status;
    headers: Record<string, string> = {};
    place = "";
    open(method: string, url: string) {
      this.place = `${method} ${new URL(url).pathname}`;
    }
    setRequestHeader(name: string, value: string) {
      this.headers[name] = value;
    }
    send() {
      puts.push({ place: this.place, headers: this.headers });
      this.upload.dispatchEvent(new ProgressEvent("progress", { loaded: 1, total: 2 }));
      this.dispatchEvent(new Event(status ? "load" : "error"));
    }
  }
  vi.stubGlobal("XMLHttpRequest", Upload);
  return puts;
}

beforeEach(() => signInAs("agent"));

test("a file that does not fit into a request goes to the address that the API signs for it", async () => {
  const given = answers({ "POST /api/v1/media/uploads": UPLOAD });
  vi.stubGlobal("fetch", given.fetch);
  const puts = bucket(200);
  const progress = vi.fn<(part: number) => void>();
  expect(await storeFile(video(4_000_001), { progress })).toBe("up-2");
  expect(given.asked.map(({ body }) => body)).toEqual([
    { mime_type: "video/mp4", size: 4_000_001, filename: "festa.mp4" },
  ]);
  expect(puts).toEqual([{ place: "PUT /media/uploads/acme/up-2", headers: UPLOAD.headers }]);
  expect(progress).toHaveBeenCalledWith(0.5);
});

test("the API looks at a large library file at once", async () => {
  const given = answers({
    "POST /api/v1/media/uploads": UPLOAD,
    "GET /api/v1/media/up-2": { url: "https://bucket.example/up-2" },
  });
  vi.stubGlobal("fetch", given.fetch);
  bucket(200);
  await storeFile(video(4_000_001), { keep: true });
  expect(given.asked[0]?.body).toMatchObject({ keep: true });
  expect(given.asked[1]?.key).toBe("GET /api/v1/media/up-2");
});

test("a file that fits goes with the request", async () => {
  const given = answers({ "POST /api/v1/media": { id: "up-1" } });
  vi.stubGlobal("fetch", given.fetch);
  expect(await storeFile(video(4_000_000))).toBe("up-1");
  expect(given.asked).toHaveLength(1);
});

test.each([
  [403, "unexpected"],
  [0, "unreachable"],
])("no file is stored when the bucket answers %i", async (status, code) => {
  vi.stubGlobal("fetch", answers({ "POST /api/v1/media/uploads": UPLOAD }).fetch);
  bucket(status);
  await expect(storeFile(video(4_000_001))).rejects.toMatchObject({ status, code });
});
