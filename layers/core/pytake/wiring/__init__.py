"""The composition root: which adapter implements which port. Only this package reads settings.

One module per function, named after it: `sender.deliver()` is the sender's use case, built once per process. `shared` holds
what every function uses, `conversations` what all of them but the webhook use, `templates` what three of them use.

The imports at the top of these modules run while Lambda initialises the function with a whole processor; an invocation has
the part of a processor that its memory buys. Settings are read and clients are made at the first event.
"""

import gc
from collections.abc import Callable
from functools import cache, wraps
from typing import TypeVar

Built = TypeVar("Built")

# What imports make stays for good, and searching it for garbage costs a tenth of a cold start. So the collector waits until the
# first use case is built, and then ignores what is there.
_COLLECTOR = gc.get_threshold()
gc.set_threshold(1_000_000)


def use_case(build: Callable[[], Built]) -> Callable[[], Built]:
    """A use case that is built when it is first needed."""

    @cache
    @wraps(build)
    def built() -> Built:
        made = build()
        _resume_collector()
        return made

    return built


@cache
def _resume_collector() -> None:
    gc.freeze()
    gc.set_threshold(*_COLLECTOR)
