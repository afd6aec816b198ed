"""An OpenID Connect issuer for the local cloud: discovery, keys, and tokens that the API's authorizer accepts."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import jwt
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.sign_in import SignIn

AUDIENCE = "pytake"
DEFAULT_TTL_SECONDS = 12 * 3600
MAX_TTL_SECONDS = 366 * 24 * 3600

Role = Literal["admin", "builder", "agent", "analyst"]
ROLES: tuple[str, ...] = get_args(Role)


class TokenRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What `POST /_oidc/token` takes."""

    organization_id: str
    role: Role = "admin"
    ttl_seconds: int = DEFAULT_TTL_SECONDS


@dataclass
class Issuer:
    """Issues tokens that are signed with the key of one data folder."""

    url: str
    _key: RSAPrivateKey

    def __post_init__(self) -> None:
        """Have a sign-in page for the console at the same origin."""
        self._sign_in = SignIn(self.url.removesuffix("/_oidc"), self.mint)

    @classmethod
    def with_key_in(cls, data_folder: Path, url: str) -> "Issuer":
        """Return the issuer at `url`. Its key is read from the data folder; the first start creates it."""
        path = data_folder / "oidc-key.pem"
        if path.exists():
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
            if not isinstance(key, RSAPrivateKey):
                raise ValueError(f"{path} does not contain an RSA key")
            return cls(url, key)
        key = generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        data_folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        return cls(url, key)

    @property
    def public_key(self) -> dict[str, Any]:
        """The key that verifies signatures, as a JSON Web Key."""
        numbers = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {**numbers, "kid": self._key_id, "use": "sig", "alg": "RS256"}

    @property
    def _key_id(self) -> str:
        return format(self._key.public_key().public_numbers().n % 2**64, "016x")

    def mint(
        self, organization_id: str, role: str, ttl_seconds: int = DEFAULT_TTL_SECONDS, name: str | None = None
    ) -> str:
        """Return a signed token with the claims `organization_id` and `role`, of the person `name` or of the role's only one.

        Raises:
            ValueError: the role does not exist, the organization is empty or the lifetime is out of range.
        """
        if role not in ROLES:
            raise ValueError(f"Unknown role {role!r}. The roles are {', '.join(ROLES)}.")
        if not organization_id:
            raise ValueError("organization_id must not be empty.")
        if not 1 <= ttl_seconds <= MAX_TTL_SECONDS:
            raise ValueError("ttl_seconds must be between one second and one year.")
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": f"{name or role}@{organization_id}",
            **({"name": name} if name else {}),
            "organization_id": organization_id,
            "role": role,
            "iat": now,
            "exp": now + ttl_seconds,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._key_id})

    def routes(self) -> list[BaseRoute]:
        """Return the routes below `/_oidc`: discovery, keys, the sign-in page, and tokens for users of this machine."""
        return [
            Route("/_oidc/.well-known/openid-configuration", self._discovery),
            Route("/_oidc/jwks.json", self._keys),
            Route("/_oidc/token", self._token, methods=["POST"]),
            *self._sign_in.routes(),
        ]

    async def _discovery(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/jwks.json",
                "token_endpoint": f"{self.url}/token",
                **self._sign_in.discovery(self.url),
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self.public_key]})

    async def _token(self, request: Request) -> Response:
        if request.headers.get("content-type", "").split(";")[0] == "application/x-www-form-urlencoded":
            return await self._sign_in.token(request)
        # Another site's page can post here only as a "simple" request, which cannot have this content type.
        if request.headers.get("content-type", "").split(";")[0] != "application/json":
            return JSONResponse({"error": "send application/json"}, status_code=415)
        try:
            wanted = msgspec.json.decode(await request.body(), type=TokenRequest)
            token = self.mint(wanted.organization_id, wanted.role, wanted.ttl_seconds)
        except ValueError as problem:  # msgspec's errors are ValueErrors too
            return JSONResponse({"error": str(problem)}, status_code=400)
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": wanted.ttl_seconds})
