"""What a check found."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from msgspec import Struct

State = Literal["ok", "warning", "failed", "unknown"]
"""`unknown`: it could not be checked, for example for lack of a permission."""

Check = Callable[[], Iterable["Finding"]]


class Finding(Struct, frozen=True):
    """One result. `advice` says what to do; it is empty when all is well."""

    check: str
    state: State
    text: str
    advice: str = ""


def run(checks: Iterable[tuple[str, Check]]) -> Iterator[Finding]:
    """Run checks by their names. One that AWS refuses is `unknown`, and the others go on."""
    for name, check in checks:
        try:
            yield from check()
        except (NoCredentialsError, NoRegionError) as error:
            advice = "Sign in to AWS, and give --region or set AWS_DEFAULT_REGION."
            yield Finding(name, "unknown", f"AWS was not asked: {error}", advice)
        except (BotoCoreError, ClientError) as error:
            advice = "Give the credentials of the command this permission, or check it in the AWS console."
            yield Finding(name, "unknown", f"AWS refused: {error}", advice)
