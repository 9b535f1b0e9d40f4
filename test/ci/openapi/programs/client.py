"""A shop's program on a client that openapi-python-client has generated; prints what it met."""

import json
import sys

from ordinal_client import Client
from ordinal_client.api.catalog import catalog_save_customer, catalog_save_product
from ordinal_client.api.fulfilment import fulfilment_ship
from ordinal_client.api.order_queries import order_queries_list
from ordinal_client.api.orders import orders_cancel, orders_place
from ordinal_client.models import (
    AddLineRequest,
    Address,
    CancelOrderRequest,
    CancelOrderRequestReason,
    OrderAlreadyShippedProblem,
    OrderPage,
    OrderQueriesListSort,
    OrderQueriesListStatusItem,
    OrderView,
    PlaceOrderRequest,
    SaveCustomerRequest,
    SaveProductRequest,
    ShipItemsRequest,
)

client = Client(base_url=sys.argv[1])

saved = [
    catalog_save_customer.sync_detailed(
        "ada", client=client, body=SaveCustomerRequest(name="Ada Lovelace", email="ada@example.org")
    ),
    catalog_save_product.sync_detailed(
        "mug", client=client, body=SaveProductRequest(name="Mug", unit_price=1250, currency="EUR", tax_bps=1900)
    ),
    catalog_save_product.sync_detailed(
        "tea", client=client, body=SaveProductRequest(name="Darjeeling, 100 g", unit_price=895, currency="EUR", tax_bps=700)
    ),
]

order = PlaceOrderRequest(
    customer_id="ada",
    currency="EUR",
    lines=[AddLineRequest(product_id="mug", quantity=2), AddLineRequest(product_id="tea", quantity=1)],
    shipping_address=Address(name="Ada", line1="1 Mill Lane", city="London", postal_code="N1", country="GB"),
    confirm=True,
)

placed = orders_place.sync_detailed(client=client, body=order, prefer="wait=30")
assert isinstance(placed.parsed, OrderView), placed
order_id = placed.parsed.order_id
shipped = fulfilment_ship.sync(
    order_id, client=client, body=ShipItemsRequest(), prefer="wait=30", idempotency_key="ship-it"
)
assert isinstance(shipped, OrderView), shipped

other = orders_place.sync(client=client, body=order)
cancelled = orders_cancel.sync(
    other.order_id,
    client=client,
    body=CancelOrderRequest(reason=CancelOrderRequestReason.CUSTOMER_REQUEST),
    prefer="wait=30",
)
assert isinstance(cancelled, OrderView), cancelled

page = order_queries_list.sync(
    client=client,
    customer_id="ada",
    status=[OrderQueriesListStatusItem.SHIPPED, OrderQueriesListStatusItem.CANCELLED],
    sort=OrderQueriesListSort.PLACEDAT,
    limit=5,
)
assert isinstance(page, OrderPage), page

# The type of the document chooses the class.
refused = orders_cancel.sync(order_id, client=client, body=CancelOrderRequest(reason=CancelOrderRequestReason.OTHER))
assert isinstance(refused, OrderAlreadyShippedProblem), refused

print(
    json.dumps(
        {
            "saved": [answer.status_code for answer in saved],
            "placed": placed.status_code,
            "lines": [[line.product_name, line.quantity] for line in placed.parsed.lines],
            "total": shipped.totals.total,
            "cancelled": cancelled.status.value,
            "listed": [order.status.value for order in page.data],
            "problem": f"{refused.order_status}: {refused.hint}",
        }
    )
)
