"""What a use case says when its work is not done and nothing failed."""


class RetryLaterError(Exception):
    """The rest is due in `seconds`. What stands behind it in its group waits with it."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(f"come back in {seconds:.1f} s: {reason}")
        self.seconds = seconds
        self.reason = reason
