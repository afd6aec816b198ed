"""The base of what the API takes and answers."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class ApiModel(BaseModel):
    """A model that is built when it is first used.

    Building the models of all routes took half of the time of importing them, and a request uses a few
    (https://docs.pydantic.dev/latest/api/config/#pydantic.config.ConfigDict.defer_build).
    """

    model_config = ConfigDict(defer_build=True)


def this_century(at: datetime) -> datetime:
    """The time, if it is of this century and names its offset. Raises ValueError."""
    if at.utcoffset() is None or not 2000 <= at.year < 2100:
        raise ValueError("a time between 2000 and 2100 with an offset, such as 2026-12-24T18:00:00Z")
    return at


ThisCentury = Annotated[datetime, AfterValidator(this_century)]
