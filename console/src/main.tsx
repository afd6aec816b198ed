import "@mantine/core/styles.css";
import "./generated/variables.css";
import "./theme/base.css";
import "./ui/form.css";
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router";
import { queryClient } from "./api/queries.ts";
import { startWords } from "./i18n/words.ts";
import { BASE, readConfig } from "./login/config.ts";
import { begin, currentPath, Session } from "./login/session.ts";
import { SignInFailed } from "./login/SignInFailed.tsx";
import { reloadIfOutdated } from "./shell/missingFiles.ts";
import { router } from "./shell/router.tsx";
import { theme } from "./theme/theme.ts";

/** Sign in, or take up the session of this tab. Returns false when the page is being left for the issuer's. */
async function signedIn(): Promise<boolean> {
  const config = await readConfig();
  const session = begin(
    new Session(config, {
      storage: sessionStorage,
      fetch: (url, init) => fetch(url, init),
      now: Date.now,
      go: (url) => location.assign(url),
      origin: location.origin,
    }),
  );
  if (location.pathname === `${BASE}/login/callback`) {
    const answer = new URLSearchParams(location.search);
    history.replaceState(null, "", `${BASE}/login/callback`); // before anything else can see the code
    history.replaceState(null, "", await session.takeAnswer(answer));
    // Its file needs this one, which waits here. Without it, colleagues see the account.
    void import("./api/colleagues.ts").then(({ tellName }) => tellName()).catch(() => undefined);
    return true;
  }
  if (session.open) return true;
  await session.signIn(currentPath());
  return false;
}

window.addEventListener("vite:preloadError", () =>
  reloadIfOutdated(sessionStorage, Date.now(), () => location.reload()),
);

const root = createRoot(document.getElementById("root")!);

function show(page: React.ReactNode): void {
  root.render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        defaultColorScheme="auto"
        withCssVariables={false}
        withGlobalClasses={false}
      >
        <QueryClientProvider client={queryClient}>{page}</QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}

const words = startWords();
try {
  const [here] = await Promise.all([signedIn(), words]);
  if (here) show(<RouterProvider router={router()} />);
} catch (error) {
  await words;
  show(<SignInFailed error={error} />);
}
