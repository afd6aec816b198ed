import pytest

from tests.conversation.product import Product, echo_product


@pytest.fixture
def product() -> Product:
    return echo_product()
