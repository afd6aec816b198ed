"""What the console looks at: a local cloud with everything, or a deployed stack through its REST API."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from local.console.api import Api
from local.console.tokens import Identity, Tokens

if TYPE_CHECKING:
    from local.console.lake_desk import LakeDesk
    from local.dead_letters import DeadLetterQueue


@dataclass(frozen=True)
class Connection:
    """One system. The console's pages get everything outside from here."""

    url: str
    client: httpx.AsyncClient
    tokens: Tokens
    default_identity: Identity
    has_phones: bool = True
    """Whether people's phones are simulated at `/_sim`."""
    refresh_seconds: float = 2.0
    """How often what is live is asked for again. A deployed stack bills each request."""
    dead_letters: "Callable[[], Sequence[DeadLetterQueue]] | None" = None
    """Finds the dead-letter queues; blocking, because boto3 is. None: the queues cannot be reached."""
    lake: "Callable[[], LakeDesk] | None" = None
    """Finds the lake; blocking too. None: it cannot be reached."""
    facts: Callable[[], Sequence[tuple[str, str]]] = field(default=tuple)
    """Says what runs where, as name and value."""

    def api(self, identity: Identity) -> Api:
        """Return the REST API, asked for this identity."""
        return Api(self.client, self.tokens, identity)
