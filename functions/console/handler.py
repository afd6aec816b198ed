"""API Gateway (HTTP API, payload 2.0) asks this handler for the files of the web console.

It uses the standard library only and has no layer, so that the first page does not wait for one (docs/adr/0025). The files in
`site/` are built by console/build_site.py; each has its compressed forms (`.br`, `.gz`) beside it.
"""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

SITE = Path(__file__).parent / "site"
BASE = "/console"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
FOREVER = "public, max-age=31536000, immutable"
CHECKED = "no-cache"


class FunctionFailedError(Exception):
    """Tells Lambda that the invocation failed, and reveals nothing of the request."""


class File(NamedTuple):
    """The bytes of a file in one encoding, and their tag."""

    body: bytes
    tag: str


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer one GET: a file, the settings, or the page for every path of the console."""
    try:
        variables = event.get("stageVariables") or {}
        answer = _answer(event["rawPath"], event.get("headers") or {}, variables)
        answer["headers"] = {**security_headers(variables), **answer["headers"]}
    except Exception as error:
        failed = f"{type(error).__module__}.{type(error).__qualname__}"
        print(json.dumps({"level": "ERROR", "message": "function.failed", "error": failed}))  # noqa: T201 - the log
    else:
        return answer
    # Outside of `except`, so that the new exception does not refer to the old one, which may quote the request.
    raise FunctionFailedError(failed)


def _answer(path: str, headers: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, Any]:
    if path == "/":
        return {"statusCode": 302, "headers": {"location": BASE, "cache-control": CHECKED}}
    if path != BASE and not path.startswith(f"{BASE}/"):
        return _not_found()
    name = path.removeprefix(BASE).removeprefix("/")
    if name == "config.json":
        return _sent(_tagged(configuration(variables)), name, None, headers)
    if name not in files() and not name.startswith("assets/"):
        name = "index.html"  # the console's own router shows the page of this path
    for encoding, suffix in ENCODINGS:
        if encoding in _accepted(headers) and (found := read(name, suffix)):
            return _sent(found, name, encoding, headers)
    if found := read(name, ""):
        return _sent(found, name, None, headers)
    return _not_found()


def _accepted(headers: Mapping[str, str]) -> set[str]:
    wanted = (part.strip().lower().partition(";") for part in headers.get("accept-encoding", "").split(","))
    return {name.strip() for name, _, quality in wanted if quality.strip().replace(" ", "") not in ("q=0", "q=0.0")}


@cache
def files() -> Mapping[str, Path]:
    """The files that may be sent, by name. A name that is not here is never opened."""
    return {
        path.relative_to(SITE).as_posix(): path for path in SITE.rglob("*") if path.suffix in {*TYPES, ".br", ".gz"}
    }


def read(name: str, suffix: str) -> File | None:
    """Return a file in one encoding, or None if there is none."""
    path = files().get(name + suffix)
    return _loaded(path) if path and Path(name).suffix in TYPES else None


@cache
def _loaded(path: Path) -> File:
    return _tagged(path.read_bytes())


def _tagged(body: bytes) -> File:
    return File(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _sent(file: File, name: str, encoding: str | None, asked: Mapping[str, str]) -> dict[str, Any]:
    # A name below assets/ contains a digest of its content, so its content never changes.
    caching = FOREVER if name.startswith("assets/") else CHECKED
    headers = {"etag": file.tag, "cache-control": caching, "vary": "accept-encoding"}
    known = {tag.strip().removeprefix("W/") for tag in asked.get("if-none-match", "").split(",")}
    if file.tag in known or "*" in known:
        return {"statusCode": 304, "headers": headers}
    headers["content-type"] = TYPES[Path(name).suffix]
    if encoding:
        headers["content-encoding"] = encoding
    body = base64.b64encode(file.body).decode()
    return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}


def _not_found() -> dict[str, Any]:
    headers = {"content-type": "text/plain; charset=utf-8", "cache-control": CHECKED}
    return {"statusCode": 404, "headers": headers, "body": "not found"}


def configuration(variables: Mapping[str, str]) -> bytes:
    """What the console has to know of its deployment, from the stage's variables (template.yaml). It contains no secret."""
    settings = {
        "stage": os.environ["STAGE"],
        "issuer": variables["issuer"],
        "clientId": variables["console_client"],
        "scope": variables["console_scope"].replace(",", " "),
        "token": variables["console_token"],
        "authorizeParameters": variables.get("console_authorize", ""),
        "webhookUrl": variables.get("console_webhook", ""),
        "logoutUrl": variables.get("console_logout", ""),
        "organizationClaim": variables["organization_claim"],
        "roleClaim": variables["role_claim"],
    }
    return json.dumps(settings).encode()


def _uploads(place: str) -> str:
    """Where the API's signed addresses take files: `place` is the host of S3 and the bucket.

    As AWS's clients do, it obeys `AWS_ENDPOINT_URL`, and takes the bucket into the host unless its name has a dot.
    """
    host, _, bucket = place.partition("/")
    if not bucket:
        return ""
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        return f"{endpoint}/{bucket}/"
    return f"https://{host}/{bucket}/" if "." in bucket else f"https://{bucket}.{host}"


def security_headers(variables: Mapping[str, str]) -> dict[str, str]:
    """The headers of every answer. The page may run the console's own files only, and talk to its origin, the issuer, and the
    bucket that takes uploads."""
    issuer = urlsplit(variables.get("issuer", ""))
    origins = ["'self'", *([f"{issuer.scheme}://{issuer.netloc}"] if issuer.netloc else [])]
    origins += variables.get("console_origins", "").split(",")
    store = _uploads(variables.get("console_uploads", ""))
    origins.append(store)
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"'self' data: blob: https: {store}".rstrip(),  # media of flows are public links, or in the bucket
        "media-src": "'self' blob: https:",
        "font-src": "'self'",
        "connect-src": " ".join(filter(None, origins)),
        "worker-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "referrer-policy": "no-referrer",
        "strict-transport-security": "max-age=63072000; includeSubDomains",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
