"""A small cache with an age limit, for values that are read with every message and change once a week (ADR 15)."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar, overload

from pytake.conversation.ports.common import Clock

Value = TypeVar("Value")


class TtlCache(Generic[Value]):
    """Keeps up to `size` values for `seconds` each. None (not found) is not kept: the value may be created at any time."""

    def __init__(self, seconds: float, size: int, clock: Clock) -> None:
        self._seconds = seconds
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, Value]] = OrderedDict()

    @overload
    def get(self, key: str, load: Callable[[], Value], *, fresher_than: float | None = None) -> Value: ...

    @overload
    def get(self, key: str, load: Callable[[], Value | None], *, fresher_than: float | None = None) -> Value | None: ...

    def get(self, key: str, load: Callable[[], Value | None], *, fresher_than: float | None = None) -> Value | None:
        """The kept value, or the result of `load`. `fresher_than` (seconds) requires a younger value than usual."""
        now = self._clock()
        entry = self._entries.get(key)
        age_limit = self._seconds if fresher_than is None else min(fresher_than, self._seconds)
        if entry is not None and now - entry[0] < age_limit:
            return entry[1]
        value = load()
        if value is None:
            self._entries.pop(key, None)
            return None
        self.put(key, value)
        return value

    def put(self, key: str, value: Value) -> None:
        self._entries[key] = (self._clock(), value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def forget(self, key: str) -> None:
        self._entries.pop(key, None)
