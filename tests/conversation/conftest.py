import pytest

from pytake.conversation.agent_messaging import AgentMessaging
from tests.conversation.product import Product, echo_product


@pytest.fixture
def product() -> Product:
    return echo_product()


@pytest.fixture
def desk(product: Product) -> AgentMessaging:
    return product.agent_messaging()
