"""The signal that work is not done although nothing failed."""


class RetryLaterError(Exception):
    """Retry the item in `seconds`. The items behind it in its message group wait too."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(f"retry in {seconds:.1f} s: {reason}")
        self.seconds = seconds
        self.reason = reason
