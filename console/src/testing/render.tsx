import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import axe from "axe-core";
import i18next from "i18next";
import { createMemoryRouter, RouterProvider, type RouteObject } from "react-router";
import { expect, vi } from "vitest";
import { loadWords, startWords } from "../i18n/words.ts";
import { begin, Session, type Role } from "../login/session.ts";
import { theme } from "../theme/theme.ts";

function tokenOf(claims: Record<string, unknown>): string {
  return `x.${btoa(JSON.stringify(claims))}.x`;
}

/** Begin a session of a person with this role. */
export function signInAs(role: Role, name = "Ana"): void {
  const token = tokenOf({ organization_id: "demo", role, name, sub: `${role}@demo` });
  const kept = { token, refresh: "r", renewAt: Number.MAX_SAFE_INTEGER, expiresAt: Number.MAX_SAFE_INTEGER };
  const storage = {
    getItem: () => JSON.stringify(kept),
    setItem: () => undefined,
    removeItem: () => undefined,
  };
  begin(
    new Session(
      {
        stage: "local",
        issuer: "https://issuer.example",
        clientId: "console",
        scope: "openid",
        token: "access_token",
        authorizeParameters: "",
        webhookUrl: "",
        logoutUrl: "",
        organizationClaim: "organization_id",
        roleClaim: "role",
      },
      {
        storage: storage as unknown as Storage,
        fetch: () => Promise.reject(new Error("no network in tests")),
        now: Date.now,
        go: () => undefined,
        origin: "http://localhost",
      },
    ),
  );
}

/** Load the texts of these parts, in Portuguese unless another language is given. */
export async function words(language = "pt", ...parts: string[]): Promise<void> {
  localStorage.setItem("pytake.language", language);
  if (!i18next.isInitialized) await startWords();
  await i18next.changeLanguage(language);
  await loadWords("shell", "problems", ...parts);
}

/** Show pages at a path. */
export function show(routes: RouteObject[], path = "/") {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const router = createMemoryRouter(routes, { initialEntries: [path] });
  const shown = render(
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { ...shown, router, client };
}

/** Expect that axe finds nothing to complain about; colours need a browser. */
export async function expectAccessible(element: Element = document.body): Promise<void> {
  const { violations } = await axe.run(element, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
}

function bodyOf(text: string, headers: Headers): unknown {
  if (!text) return undefined;
  return headers.get("content-type")?.includes("json") ? JSON.parse(text) : text;
}

/** Show the pages of an area over these answers of the API; `sent` gives the requests of a kind, "METHOD /path". */
export function visit(area: string, routes: RouteObject[], path: string, given: Record<string, unknown>) {
  const { fetch, asked } = answers(given);
  vi.stubGlobal("fetch", fetch);
  const shown = show([{ path: area, children: routes }], area + path);
  return { ...shown, asked, sent: (key: string) => asked.filter((one) => one.key === key) };
}

/** Answer the requests of `fetch` by path, in the form "METHOD /path"; others fail the test. */
export function answers(given: Record<string, unknown>) {
  const asked: { key: string; search: string; body: unknown; headers: Headers }[] = [];
  const fetch = async (request: Request) => {
    const url = new URL(request.url);
    const key = `${request.method} ${url.pathname}`;
    const text = await request.clone().text();
    asked.push({ key, search: url.search, body: bodyOf(text, request.headers), headers: request.headers });
    const answer = given[`${key}${url.search}`] ?? given[key];
    if (answer === undefined) throw new Error(`unexpected request: ${key}${url.search}`);
    if (answer instanceof Response) return answer.clone();
    return Response.json(answer);
  };
  return { fetch, asked };
}
