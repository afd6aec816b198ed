"""How a call to the outside can fail: a stable code and a sentence, which become the `error` of an `EffectResult`."""


class CallFailedError(Exception):
    """The call ended without an answer that a flow can use.

    `code` is stable: flows may compare it. Neither it nor the `sentence` holds anything of the request or the answer, for
    both may carry a secret. `status` is the HTTP status where one came.
    """

    def __init__(self, code: str, sentence: str, status: int | None = None) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence
        self.status = status

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"
