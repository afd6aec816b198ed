"""The base of what the API takes and answers."""

from pydantic import BaseModel, ConfigDict


class ApiModel(BaseModel):
    """A model that is built when it is first used.

    Building the models of all routes took half of the time of importing them, and a request uses a few
    (https://docs.pydantic.dev/latest/api/config/#pydantic.config.ConfigDict.defer_build).
    """

    model_config = ConfigDict(defer_build=True)
