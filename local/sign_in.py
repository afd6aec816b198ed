"""The local issuer's sign-in page: the authorization code flow with PKCE (RFC 6749, RFC 7636) for the web console.

There are no passwords: everyone on this machine may be any person of any organization, as with `pytake token`.
"""

import base64
import hashlib
import html
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

CLIENT = "console"
CALLBACK = "/console/login/callback"
CODE_SECONDS = 60
ACCESS_SECONDS = 3600
REFRESH_SECONDS = 12 * 3600
MAX_GRANTS = 1000
"""Codes and refresh tokens that are kept. With more, the oldest are forgotten."""

PEOPLE = {"admin": "Ana", "builder": "Bruno", "agent": "Clara", "analyst": "Davi"}
"""The name of each role's person, unless the form gives another."""

WORDS = {
    "en": {
        "title": "Sign in to PyTake",
        "about": "This is the local cloud: choose who you are. There is no password.",
        "organization": "Organization",
        "name": "Name (optional)",
        "admin": "Administrator: everything, also settings and secrets",
        "builder": "Builder: flows",
        "agent": "Agent: conversations",
        "analyst": "Analyst: reports and answers",
    },
    "pt": {
        "title": "Entrar no PyTake",
        "about": "Esta é a nuvem local: escolha quem você é. Não há senha.",
        "organization": "Organização",
        "name": "Nome (opcional)",
        "admin": "Administrador: tudo, também configurações e segredos",
        "builder": "Construtor: fluxos",
        "agent": "Atendente: conversas",
        "analyst": "Analista: relatórios e respostas",
    },
    "es": {
        "title": "Entrar en PyTake",
        "about": "Esta es la nube local: elija quién es. No hay contraseña.",
        "organization": "Organización",
        "name": "Nombre (opcional)",
        "admin": "Administrador: todo, también ajustes y secretos",
        "builder": "Constructor: flujos",
        "agent": "Agente: conversaciones",
        "analyst": "Analista: informes y respuestas",
    },
}
STYLE = (
    ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{margin:0;display:grid;place-items:center;"
    "min-height:100vh}main{width:min(26rem,90vw)}h1{font-size:1.5rem}label{display:block;margin:.75rem 0}"
    "input{box-sizing:border-box;width:100%;font:inherit;padding:.5rem;margin-top:.25rem}"
    "button{display:block;width:100%;font:inherit;text-align:left;padding:.7rem 1rem;margin:.5rem 0;cursor:pointer}"
)
POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@dataclass(frozen=True)
class Grant:
    """Who may get tokens, and until when; a code also has the challenge that its redeemer must solve."""

    organization_id: str
    role: str
    name: str
    expires_at: float
    challenge: str = ""


class SignIn:
    """The sign-in page and the grants that it gives. They are kept in memory, so a restart ends every session."""

    def __init__(self, origin: str, mint: Callable[..., str], now: Callable[[], float] = time.time) -> None:
        """Sign people in to the console at `origin`; `mint` makes the tokens."""
        self._origin = origin
        self._mint = mint
        self._now = now
        self._codes: dict[str, Grant] = {}
        self._refreshes: dict[str, Grant] = {}

    def routes(self) -> list[BaseRoute]:
        """The routes of the sign-in page and of the end of a session."""
        return [
            Route("/_oidc/authorize", self._show, methods=["GET"]),
            Route("/_oidc/authorize", self._decide, methods=["POST"]),
            Route("/_oidc/revoke", self._revoke, methods=["POST"]),
            Route("/_oidc/logout", self._logout, methods=["GET"]),
        ]

    def discovery(self, url: str) -> dict[str, Any]:
        """What the discovery document says of this flow; `url` is the issuer's."""
        return {
            "authorization_endpoint": f"{url}/authorize",
            "end_session_endpoint": f"{url}/logout",
            "revocation_endpoint": f"{url}/revoke",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": True,
        }

    async def token(self, request: Request) -> Response:
        """Answer a form-encoded token request: a code or a refresh token for new tokens. Each is good once."""
        form = await _form(request)
        if form.get("client_id") != CLIENT:
            return _refused("invalid_client")
        if form.get("grant_type") == "authorization_code":
            grant = self._codes.pop(form.get("code", ""), None)
            solved = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            allowed = (
                grant is not None
                and grant.challenge == solved.rstrip(b"=").decode()
                and form.get("redirect_uri") == self._origin + CALLBACK
            )
        elif form.get("grant_type") == "refresh_token":
            grant = self._refreshes.pop(form.get("refresh_token", ""), None)
            allowed = grant is not None
        else:
            return _refused("unsupported_grant_type")
        if grant is None or not allowed or grant.expires_at < self._now():
            return _refused("invalid_grant")
        token = self._mint(grant.organization_id, grant.role, ACCESS_SECONDS, grant.name)
        refresh = self._keep(self._refreshes, grant.organization_id, grant.role, grant.name, REFRESH_SECONDS)
        answer = {
            "access_token": token,
            "id_token": token,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
        }
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    def _keep(
        self, kept: dict[str, Grant], organization_id: str, role: str, name: str, seconds: int, challenge: str = ""
    ) -> str:
        while len(kept) >= MAX_GRANTS:
            del kept[next(iter(kept))]
        key = secrets.token_urlsafe(32)
        kept[key] = Grant(organization_id, role, name, self._now() + seconds, challenge)
        return key

    def _wrong(self, asked: Mapping[str, str]) -> str | None:
        """What is wrong with a sign-in request. Such a request never redirects, so it cannot send anyone elsewhere."""
        if asked.get("client_id") != CLIENT:
            return f"client_id must be {CLIENT}"
        if asked.get("redirect_uri") != self._origin + CALLBACK:
            return f"redirect_uri must be {self._origin}{CALLBACK}"
        if asked.get("response_type") != "code":
            return "response_type must be code"
        if asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43:
            return "code_challenge_method must be S256, with a code_challenge"
        return None if asked.get("state") else "state is missing"

    async def _show(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if wrong := self._wrong(asked):
            return JSONResponse({"error": "invalid_request", "error_description": wrong}, 400)
        language = _language(request.headers.get("accept-language", ""))
        return HTMLResponse(_page(asked, language), headers={"Content-Security-Policy": POLICY})

    async def _decide(self, request: Request) -> Response:
        form = await _form(request)
        organization_id, role = form.get("organization_id", "").strip(), form.get("role", "")
        wrong = self._wrong(form)
        if wrong or role not in PEOPLE or not organization_id:
            return JSONResponse(
                {"error": "invalid_request", "error_description": wrong or "organization and role are needed"}, 400
            )
        name = form.get("name", "").strip() or PEOPLE[role]
        code = self._keep(self._codes, organization_id, role, name, CODE_SECONDS, form["code_challenge"])
        answer = {"code": code, "state": form["state"], "iss": f"{self._origin}/_oidc"}
        return RedirectResponse(f"{self._origin}{CALLBACK}?{urlencode(answer)}", 303)

    async def _revoke(self, request: Request) -> Response:
        self._refreshes.pop((await _form(request)).get("token", ""), None)
        return Response(status_code=200)

    async def _logout(self, _request: Request) -> Response:
        return RedirectResponse(f"{self._origin}/console")


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))


def _refused(error: str) -> Response:
    return JSONResponse({"error": error}, 400, headers={"Cache-Control": "no-store"})


def _language(accepted: str) -> str:
    wanted = (part.strip()[:2].lower() for part in accepted.split(","))
    return next((language for language in wanted if language in WORDS), "en")


def _page(asked: Mapping[str, str], language: str) -> str:
    words = {name: html.escape(text) for name, text in WORDS[language].items()}
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in asked.items()
    )
    roles = "".join(f'<button name="role" value="{role}">{words[role]}</button>' for role in PEOPLE)
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{words['title']}</title><style>{STYLE}</style><main><h1>{words['title']}</h1><p>{words['about']}</p>"
        f'<form method="post">{hidden}<label>{words["organization"]}<input name="organization_id" value="demo" required>'
        f'</label><label>{words["name"]}<input name="name" autocomplete="off"></label>{roles}</form></main></html>'
    )
