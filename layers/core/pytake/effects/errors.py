"""The failure of an effect: a stable code and a sentence, which become the `error` of an `EffectResult`."""


class CallFailedError(Exception):
    """The call ended without a response that a flow can use.

    `code` is stable: flows may compare it. Neither `code` nor `sentence` contains parts of the request or the response, because
    both may contain a secret. `status` is the HTTP status, if there was a response.
    """

    def __init__(self, code: str, sentence: str, status: int | None = None) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence
        self.status = status

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"
