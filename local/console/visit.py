"""One visit of one page: what a page is given."""

from dataclasses import dataclass

from local.console.api import Api
from local.console.connection import Connection
from local.console.session import Session
from local.console.words import Words


@dataclass(frozen=True)
class Visit:
    """What a page builds with: the system, the browser's settings, the texts in its language, the API as its identity."""

    connection: Connection
    session: Session
    words: Words
    api: Api
