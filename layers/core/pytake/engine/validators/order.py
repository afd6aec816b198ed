"""Orders."""

from pytake.engine.execution import Execution
from pytake.engine.field_types import Validation
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED
from pytake.whatsapp.received import order_value


@validator("order")
def order(_: Validation, __: NodeBuild) -> Check:
    """An order from the catalog, stored as an object with `items` (`product_retailer_id`, `quantity`, `price`, `currency`,
    `total`), `count`, `totals` by currency, `catalog_id` and `note`; with one currency also `total` and `currency`. The prices
    are those that the phone showed: compare them with the catalog before charging."""

    def check(run: Execution) -> object:
        found = order_value(run.input.payload) if run.input.type == "order" else None
        return REFUSED if found is None else found

    return check
