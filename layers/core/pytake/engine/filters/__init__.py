"""The filters of templates, as in `{{name | first_name | upper}}`. Each maps a value and its arguments to a value."""

from pytake.engine.filters.dates import DATE_FILTERS
from pytake.engine.filters.filter import Filter, Setting
from pytake.engine.filters.lists import LIST_FILTERS
from pytake.engine.filters.numbers import NUMBER_FILTERS
from pytake.engine.filters.texts import TEXT_FILTERS

FILTERS: dict[str, Filter] = {**TEXT_FILTERS, **LIST_FILTERS, **NUMBER_FILTERS, **DATE_FILTERS}
IN_SETTING = frozenset(found.apply for found in FILTERS.values() if found.in_setting)
"""The functions that also take the `Setting` of the turn, as `at`."""

__all__ = ["FILTERS", "IN_SETTING", "Filter", "Setting"]
