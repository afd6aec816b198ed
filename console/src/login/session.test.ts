import { describe, expect, test } from "vitest";
import type { Config } from "./config.ts";
import { challengeOf } from "./pkce.ts";
import { Session, SignInError, type Browser } from "./session.ts";

const CONFIG: Config = {
  stage: "test",
  issuer: "https://issuer.example/pool",
  clientId: "console",
  scope: "openid profile",
  token: "access_token",
  authorizeParameters: "audience=api",
  webhookUrl: "",
  logoutUrl: "",
  organizationClaim: "organization_id",
  roleClaim: "role",
};
const DISCOVERY = {
  authorization_endpoint: "https://issuer.example/authorize",
  token_endpoint: "https://issuer.example/token",
  end_session_endpoint: "https://issuer.example/logout",
  revocation_endpoint: "https://issuer.example/revoke",
};

function jwt(claims: Record<string, unknown>): string {
  return `h.${btoa(unescape(encodeURIComponent(JSON.stringify(claims))))}.s`;
}

/** A browser whose issuer gives a new token at each request. */
class TestBrowser implements Browser {
  storage: Storage;
  time = 1_000_000;
  went: string[] = [];
  asked: { url: string; form: Record<string, string> }[] = [];
  answer: () => Response = () =>
    Response.json({
      access_token: jwt({
        organization_id: "demo",
        role: ["agent"],
        name: "Zélia",
        sub: "z1",
        n: this.asked.length,
      }),
      refresh_token: `refresh-${this.asked.length}`,
      expires_in: 3600,
    });
  origin = "https://chat.example";

  constructor() {
    const kept = new Map<string, string>();
    this.storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value),
      removeItem: (key: string) => kept.delete(key),
      clear: () => kept.clear(),
    } as unknown as Storage;
  }
  now = () => this.time;
  go = (url: string) => void this.went.push(url);
  fetch = async (url: string, init?: RequestInit) => {
    if (url.endsWith("/.well-known/openid-configuration")) return Response.json(DISCOVERY);
    this.asked.push({ url, form: Object.fromEntries(init?.body as URLSearchParams) });
    return this.answer();
  };
}

async function signedIn(config = CONFIG) {
  const browser = new TestBrowser();
  const session = new Session(config, browser);
  await session.signIn("/console/build?n=12");
  const request = new URL(browser.went[0]!);
  const answer = new URLSearchParams({ code: "the-code", state: request.searchParams.get("state")! });
  return { browser, session, request, answer };
}

test("Meta posts to the API, or to the URL of its own that the deployment has", () => {
  const url = "https://abc.lambda-url.us-east-1.on.aws/";
  expect(new Session(CONFIG, new TestBrowser()).webhook).toBe("https://chat.example/api/v1/whatsapp/webhook");
  expect(new Session({ ...CONFIG, webhookUrl: url }, new TestBrowser()).webhook).toBe(url);
});

describe("the sign-in request", () => {
  test("has PKCE, the state and the deployment's parameters, and no secret", async () => {
    const { request, session, answer, browser } = await signedIn();
    const asked = Object.fromEntries(request.searchParams);
    expect(asked).toMatchObject({
      response_type: "code",
      client_id: "console",
      redirect_uri: "https://chat.example/console/login/callback",
      scope: "openid profile",
      audience: "api",
      code_challenge_method: "S256",
    });
    await session.takeAnswer(answer);
    const { code_verifier } = browser.asked[0]!.form;
    expect(await challengeOf(code_verifier!)).toBe(asked["code_challenge"]);
    expect(request.href).not.toContain(code_verifier);
  });

  test("its answer leads back to where the person was", async () => {
    const { session, answer } = await signedIn();
    expect(await session.takeAnswer(answer)).toBe("/console/build?n=12");
    expect(session.person).toEqual({ subject: "z1", name: "Zélia", organization: "demo", role: "agent" });
  });

  test.each([
    ["another state", { state: "other" }, "state_unknown"],
    ["another issuer", { iss: "https://evil.example" }, "issuer_unknown"],
  ])("an answer with %s is refused without asking for a token", async (_, change, code) => {
    const { session, answer, browser } = await signedIn();
    for (const [name, value] of Object.entries(change)) answer.set(name, value);
    await expect(session.takeAnswer(answer)).rejects.toMatchObject({ code });
    expect(browser.asked).toEqual([]);
  });

  test("an answer is taken once", async () => {
    const { session, answer } = await signedIn();
    await session.takeAnswer(answer);
    await expect(session.takeAnswer(answer)).rejects.toMatchObject({ code: "state_unknown" });
  });

  test.each([
    "//evil.example/console",
    "https://evil.example/console",
    "https://chat.example.evil.example/console",
    "/console/../api/v1/docs",
    "/console/..//evil.example",
    "/console\\..\\..\\evil.example",
    "/consoles",
    "\\\\evil.example/console",
    "javascript:alert(1)//console",
  ])("never leads outside the console: %s", async (elsewhere) => {
    const browser = new TestBrowser();
    const session = new Session(CONFIG, browser);
    await session.signIn(elsewhere);
    const state = new URL(browser.went[0]!).searchParams.get("state")!;
    expect(await session.takeAnswer(new URLSearchParams({ code: "c", state }))).toBe("/console");
  });

  test("a refusal names its reason", async () => {
    const { session, answer } = await signedIn();
    answer.delete("code");
    answer.set("error", "access_denied");
    await expect(session.takeAnswer(answer)).rejects.toEqual(new SignInError("access_denied"));
  });

  test("an issuer without the chosen token says so", async () => {
    const { session, answer } = await signedIn({ ...CONFIG, token: "id_token" });
    await expect(session.takeAnswer(answer)).rejects.toMatchObject({ code: "token_missing" });
  });
});

describe("a session", () => {
  test("survives a reload", async () => {
    const { session, answer, browser } = await signedIn();
    await session.takeAnswer(answer);
    const reloaded = new Session(CONFIG, browser);
    expect(reloaded.open).toBe(true);
    expect(await reloaded.token()).toBe(await session.token());
  });

  test("is renewed once for all callers, before the token expires", async () => {
    const { session, answer, browser } = await signedIn();
    await session.takeAnswer(answer);
    const before = await session.token();
    browser.time += 3_550_000;
    const [one, two] = await Promise.all([session.token(), session.token()]);
    expect(one).toBe(two);
    expect(one).not.toBe(before);
    expect(browser.asked.map(({ form }) => form["grant_type"])).toEqual([
      "authorization_code",
      "refresh_token",
    ]);
  });

  test("goes to the sign-in page when the issuer does not renew it", async () => {
    const { session, answer, browser } = await signedIn();
    await session.takeAnswer(answer);
    browser.time += 3_600_000;
    browser.answer = () => Response.json({ error: "invalid_grant" }, { status: 400 });
    await expect(session.token()).rejects.toMatchObject({ code: "expired" });
    expect(browser.went).toHaveLength(2);
    expect(session.open).toBe(false);
  });

  test("stays when the issuer does not answer", async () => {
    const { session, answer, browser } = await signedIn();
    await session.takeAnswer(answer);
    browser.time += 3_600_000;
    browser.answer = () => Response.json({}, { status: 503 });
    await expect(session.token()).rejects.toThrow("503");
    expect(browser.went).toHaveLength(1);
    expect(session.open).toBe(true);
  });

  test("renews a token that the API refused, but not again and again", async () => {
    const { session, answer, browser } = await signedIn();
    await session.takeAnswer(answer);
    session.refused();
    await session.token();
    session.refused();
    await session.token();
    expect(browser.asked).toHaveLength(2);
  });

  test("ends here and at the issuer, without a token in an address", async () => {
    const { session, answer, browser } = await signedIn();
    await session.takeAnswer(answer);
    const token = await session.token();
    browser.storage.setItem("pytake.draft z1 /inbox/1/2", "begun");
    await session.signOut();
    expect(browser.storage.getItem("pytake.draft z1 /inbox/1/2")).toBeNull();
    expect(browser.asked.at(-1)).toEqual({
      url: DISCOVERY.revocation_endpoint,
      form: { token: "refresh-1", client_id: "console" },
    });
    expect(browser.went.at(-1)).toMatch(/^https:\/\/issuer\.example\/logout\?client_id=console&post_logout/);
    expect(browser.went.join(" ")).not.toContain(token);
    expect(new Session(CONFIG, browser).open).toBe(false);
  });
});
