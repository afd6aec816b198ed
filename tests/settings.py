"""What each function declares of its environment."""

from msgspec.structs import fields

from pytake import settings

SETTINGS: dict[str, type[settings.FunctionSettings]] = {
    "webhook": settings.WebhookSettings,
    "flow_runner": settings.FlowRunnerSettings,
    "sender": settings.SenderSettings,
    "statuses": settings.StatusesSettings,
    "scheduled": settings.ScheduledSettings,
    "api": settings.ApiSettings,
}
"""By the name of the function."""


def required_variables(declared: type[settings.FunctionSettings]) -> list[str]:
    """The variables without which a function does not start."""
    return [field.encode_name for field in fields(declared) if field.required]
