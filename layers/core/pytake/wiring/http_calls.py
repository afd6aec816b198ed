"""The caller of APIs, for the functions that perform api_call nodes."""

from typing import TYPE_CHECKING

from pytake.wiring import shared

if TYPE_CHECKING:
    from pytake.effects.performer import HttpCaller


def http_caller(secrets_prefix: str, *, allow_private: bool) -> "HttpCaller":
    """A caller with its own cache of secrets. `allow_private`: plain HTTP and addresses of this network may be called."""
    # Imported when the first api_call needs it: most flow runners never need an HTTP client, and it is a tenth of a cold start.
    from pytake.effects.flow_secrets import SecretsManagerFlowSecrets
    from pytake.effects.http_call import HttpcoreCaller

    secrets = SecretsManagerFlowSecrets(lambda: shared.client("secretsmanager"), secrets_prefix, shared.clock)
    return HttpcoreCaller(secrets, allow_plain_http=allow_private, allow_private_addresses=allow_private)
