import { expect, test, vi } from "vitest";
import { begin, type Session } from "../login/session.ts";
import { api, got } from "./client.ts";

function issuer(tokens: string[]) {
  const refused = vi.fn<() => void>(() => void (tokens.length > 1 && tokens.shift()));
  begin({ token: () => Promise.resolve(tokens[0]), refused } as unknown as Session);
  return refused;
}

/** The API takes one token only. */
function takes(token: string) {
  const asked: { authorization: string | null; body: string }[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const authorization = request.headers.get("authorization");
    asked.push({ authorization, body: await request.text() });
    return authorization === `Bearer ${token}`
      ? Response.json({ teams: {} })
      : Response.json({ message: "Unauthorized" }, { status: 401 });
  });
  return asked;
}

test("a token that is no longer taken is renewed, and the request sent again with its body", async () => {
  issuer(["old", "new"]);
  const asked = takes("new");
  const body = { teams: { Vendas: { name: "Vendas", members: [] } } };
  await got(api.PUT("/api/v1/teams", { body }));
  expect(asked.map(({ authorization }) => authorization)).toEqual(["Bearer old", "Bearer new"]);
  expect(asked.map((one) => JSON.parse(one.body))).toEqual([body, body]);
});

test("a token that cannot be renewed ends in one error, not in a loop", async () => {
  const refused = issuer(["old"]);
  const asked = takes("new");
  await expect(got(api.GET("/api/v1/teams"))).rejects.toMatchObject({ status: 401, code: "signed_out" });
  expect(asked).toHaveLength(1);
  expect(refused).toHaveBeenCalledOnce();
});
