import { BASE, type Config } from "./config.ts";
import { challengeOf, claimsOf, random } from "./pkce.ts";

export const ROLES = ["admin", "builder", "agent", "analyst"] as const;
export type Role = (typeof ROLES)[number];

/** Who uses the console, as their token says. */
export interface Person {
  name: string;
  /** How the API names them: the claim `sub`. */
  subject: string;
  organization: string;
  role: Role | undefined;
}

interface Tokens {
  token: string;
  refresh: string | undefined;
  /** When the token is renewed, in milliseconds since 1970. */
  renewAt: number;
  expiresAt: number;
}

interface Discovery {
  authorization_endpoint: string;
  token_endpoint: string;
  end_session_endpoint?: string;
  revocation_endpoint?: string;
}

interface Request {
  state: string;
  verifier: string;
  returnTo: string;
}

const TOKENS = "pytake.tokens";
const REQUEST = "pytake.sign-in";
const REFUSED = "pytake.refused";
const EARLY_MILLISECONDS = 60_000;

/** The sign-in failed; `code` says why: an error of OAuth 2.0, or one of ours. */
export class SignInError extends Error {
  override name = "SignInError";
  readonly code: string;

  constructor(code: string) {
    super(`sign-in failed: ${code}`);
    this.code = code;
  }
}

/** What a session needs of the browser; tests give their own. */
export interface Browser {
  storage: Storage;
  fetch: (url: string, init?: RequestInit) => Promise<Response>;
  now: () => number;
  /** Leave the page. */
  go: (url: string) => void;
  origin: string;
}

/**
 * The person's session: the authorization code flow with PKCE against the stack's issuer.
 *
 * Tokens are in memory and in this tab's session storage, so that a reload keeps them. They are never part of an address.
 */
export class Session {
  private tokens: Tokens | undefined;
  private renewing: Promise<string> | undefined;
  private discovered: Promise<Discovery> | undefined;
  private readonly config: Config;
  private readonly browser: Browser;

  constructor(config: Config, browser: Browser) {
    this.config = config;
    this.browser = browser;
    const kept = browser.storage.getItem(TOKENS);
    this.tokens = kept ? (JSON.parse(kept) as Tokens) : undefined;
  }

  /** The callback URL for Meta's dashboard. */
  get webhook(): string {
    return this.config.webhookUrl || `${this.browser.origin}/api/v1/whatsapp/webhook`;
  }

  /** Whether this is the local cloud, which has a simulated WhatsApp. */
  get local(): boolean {
    return this.config.stage === "local";
  }

  /** Who has signed in. */
  get person(): Person {
    const claims = this.tokens ? claimsOf(this.tokens.token) : {};
    const given = claims[this.config.roleClaim];
    const roles = Array.isArray(given) ? given : [given];
    const names = [
      claims["name"],
      claims["preferred_username"],
      claims["cognito:username"],
      claims["email"],
      claims["sub"],
    ];
    return {
      subject: String(claims["sub"] ?? ""),
      name: names.find((name): name is string => typeof name === "string" && name !== "") ?? "",
      organization: String(claims[this.config.organizationClaim] ?? ""),
      role: ROLES.find((role) => roles.includes(role)),
    };
  }

  /** Whether tokens are here that have not expired or can be renewed. */
  get open(): boolean {
    return !!this.tokens && (this.tokens.expiresAt > this.browser.now() || !!this.tokens.refresh);
  }

  /** Go to the issuer's page, and come back to `returnTo`. */
  async signIn(returnTo: string): Promise<void> {
    const request: Request = { state: random(), verifier: random(), returnTo };
    this.browser.storage.setItem(REQUEST, JSON.stringify(request));
    const { authorization_endpoint } = await this.discovery();
    const url = new URL(authorization_endpoint);
    for (const [name, value] of new URLSearchParams(this.config.authorizeParameters))
      url.searchParams.set(name, value);
    const parameters = {
      response_type: "code",
      client_id: this.config.clientId,
      redirect_uri: this.redirectUri,
      scope: this.config.scope,
      state: request.state,
      code_challenge: await challengeOf(request.verifier),
      code_challenge_method: "S256",
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    this.browser.go(url.href);
  }

  /**
   * Take the issuer's answer to `signIn`: exchange its code for tokens.
   *
   * @returns where the person was before, as a path
   * @throws SignInError when the answer is not to our request, or a refusal
   */
  async takeAnswer(answer: URLSearchParams): Promise<string> {
    const kept = this.browser.storage.getItem(REQUEST);
    this.browser.storage.removeItem(REQUEST);
    const request = kept ? (JSON.parse(kept) as Request) : undefined;
    if (!request || answer.get("state") !== request.state) throw new SignInError("state_unknown");
    if ((answer.get("iss") ?? this.config.issuer) !== this.config.issuer)
      throw new SignInError("issuer_unknown");
    const code = answer.get("code");
    if (!code) throw new SignInError(answer.get("error") ?? "code_missing");
    await this.redeem({
      grant_type: "authorization_code",
      code,
      redirect_uri: this.redirectUri,
      code_verifier: request.verifier,
    });
    return this.isOurs(request.returnTo) ? request.returnTo : BASE;
  }

  /** Return a token for the API; one that expires soon is renewed first. All callers share one renewal. */
  async token(): Promise<string> {
    if (!this.tokens) throw await this.signInAgain();
    if (this.browser.now() < this.tokens.renewAt) return this.tokens.token;
    this.renewing ??= this.renew(this.tokens).finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  /** The API refused the token. Renew it at the next request; a second refusal within a minute is not a matter of time. */
  refused(): void {
    if (!this.tokens) return;
    const last = Number(this.browser.storage.getItem(REFUSED) ?? 0);
    this.browser.storage.setItem(REFUSED, String(this.browser.now()));
    if (this.browser.now() - last > EARLY_MILLISECONDS) this.tokens.renewAt = 0;
  }

  /** End the session here and at the issuer. */
  async signOut(): Promise<void> {
    const { refresh } = this.tokens ?? {};
    this.tokens = undefined;
    this.browser.storage.clear(); // also texts that were begun: the next person at this tab may be another one
    const { end_session_endpoint, revocation_endpoint } = await this.discovery();
    if (refresh && revocation_endpoint) {
      const body = new URLSearchParams({ token: refresh, client_id: this.config.clientId });
      await this.browser.fetch(revocation_endpoint, { method: "POST", body }).catch(() => undefined);
    }
    if (this.config.logoutUrl || !end_session_endpoint) return this.browser.go(this.config.logoutUrl || BASE);
    const url = new URL(end_session_endpoint);
    url.searchParams.set("client_id", this.config.clientId);
    url.searchParams.set("post_logout_redirect_uri", this.browser.origin + BASE);
    this.browser.go(url.href);
  }

  /** Whether an address is one of the console, as the browser will read it: `..` and `\\` lead elsewhere. */
  private isOurs(address: string): boolean {
    const { origin, pathname } = new URL(address, this.browser.origin);
    return origin === this.browser.origin && (pathname === BASE || pathname.startsWith(`${BASE}/`));
  }

  private get redirectUri(): string {
    return `${this.browser.origin}${BASE}/login/callback`;
  }

  private async renew(tokens: Tokens): Promise<string> {
    if (!tokens.refresh) {
      if (this.browser.now() < tokens.expiresAt && tokens.renewAt !== 0) return tokens.token;
      throw await this.signInAgain();
    }
    try {
      await this.redeem({ grant_type: "refresh_token", refresh_token: tokens.refresh });
    } catch (error) {
      if (error instanceof SignInError) throw await this.signInAgain();
      throw error;
    }
    return this.tokens!.token;
  }

  private async redeem(form: Record<string, string>): Promise<void> {
    const { token_endpoint } = await this.discovery();
    const body = new URLSearchParams({ ...form, client_id: this.config.clientId });
    const response = await this.browser.fetch(token_endpoint, { method: "POST", body });
    const given = (await response.json()) as Record<string, unknown>;
    if (response.status >= 500) throw new Error(`token endpoint: ${response.status}`);
    const token = given[this.config.token];
    if (!response.ok || typeof token !== "string")
      throw new SignInError(String(given["error"] ?? "token_missing"));
    const expiresAt = this.browser.now() + Number(given["expires_in"] ?? 3600) * 1000;
    const refresh = given["refresh_token"] ?? (form["refresh_token"] as unknown);
    this.tokens = {
      token,
      refresh: typeof refresh === "string" ? refresh : undefined,
      renewAt: expiresAt - EARLY_MILLISECONDS,
      expiresAt,
    };
    this.browser.storage.setItem(TOKENS, JSON.stringify(this.tokens));
  }

  private async signInAgain(): Promise<SignInError> {
    this.forget();
    await this.signIn(currentPath());
    return new SignInError("expired");
  }

  private forget(): void {
    this.tokens = undefined;
    this.browser.storage.removeItem(TOKENS);
  }

  private discovery(): Promise<Discovery> {
    const url = `${this.config.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    this.discovered ??= this.browser.fetch(url).then(async (response) => {
      if (!response.ok) throw new Error(`discovery: ${response.status}`);
      return (await response.json()) as Discovery;
    });
    this.discovered.catch(() => (this.discovered = undefined));
    return this.discovered;
  }
}

/** The path of this page below the origin, with its query. */
export function currentPath(): string {
  return location.pathname + location.search;
}

let current: Session | undefined;

/** The session of this page, once `main.tsx` has begun it. */
export function session(): Session {
  if (!current) throw new Error("no session yet");
  return current;
}

/** Make this the session of the page. */
export function begin(started: Session): Session {
  return (current = started);
}
