"""The botocore session of a function: it makes the clients."""

from threading import Lock
from typing import Any

from botocore import handlers
from botocore.config import Config
from botocore.credentials import Credentials, EnvProvider, create_credential_resolver
from botocore.session import Session

USER_AGENT = "pytake-serverless"

SERVICES = frozenset(
    {"athena", "bedrock-runtime", "dynamodb", "events", "glue", "lambda", "s3", "secretsmanager", "sesv2", "sqs", "sts"}
)
"""The services that the layer describes."""

SIGNING = Config(
    signature_version="s3v4",
    s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
    connect_timeout=2,
    read_timeout=10,
    user_agent=USER_AGENT,
)
"""Of a client that signs addresses of S3: with version 4, without which new buckets answer nothing, and for the bucket's host in
its Region. S3 redirects from its global host, and a browser's upload does not follow."""


def new_session() -> Session:
    """A session without botocore's handlers for other services and for its own documentation.

    botocore registers all of them for each process, and copies them for each client: a twentieth of a cold start.
    """
    session = _Session()
    session.register_component("credential_provider", _CredentialProvider(session))
    # botocore builds its default user agent twice per request; our own is built once.
    session.set_default_client_config(Config(user_agent=USER_AGENT))
    return session


class _Session(Session):
    """Registers the handlers of a service with its first client. Most of them are those of S3, which few workers need."""

    def __init__(self) -> None:
        super().__init__(include_builtin_handlers=False)
        self._registered: set[str] = set()
        self._registering = Lock()
        self._register("")

    def create_client(self, service_name: str, *arguments: Any, **more: Any) -> Any:
        self._register(service_name)
        return super().create_client(service_name, *arguments, **more)

    def _register(self, service: str) -> None:
        """Register the handlers whose event is `<what>`, or those of a service: `<what>.<service>...`."""
        with self._registering:
            if service in self._registered:
                return
            events = self.get_component("event_emitter")
            for event, handler, *order in handlers.BUILTIN_HANDLERS:
                what, _, of = event.partition(".")
                if what in ("docs", "getattr") or of.partition(".")[0] != service:
                    continue
                if handlers.REGISTER_FIRST in order:
                    events.register_first(event, handler)
                elif handlers.REGISTER_LAST in order:
                    events.register_last(event, handler)
                else:
                    events.register(event, handler)
            self._registered.add(service)


class _CredentialProvider:
    """Credentials from the environment, where Lambda puts them, before botocore looks for others: it makes two HTTP clients
    for that."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def load_credentials(self) -> Credentials | None:
        return EnvProvider().load() or create_credential_resolver(self._session).load_credentials()
