"""A price book to begin with: it prices all that the demo cloud has, and names nothing that another
ledger would have to define first."""

from scripts.cli.client import Body

BOTH = ("claim", "hold")


def example() -> Body:
    """As `PUT /v1/price-books/{name}` takes it. The names say what each price is."""
    return {
        "currency": "EUR",
        "month_rule": "calendar",
        "prices": [
            _price("VCPU hour", _class("VCPU"), "hour", "0.02"),
            _price("VCPU hour while on hold", _class("VCPU"), "hour", "0.005", on=("hold",)),
            # MEMORY_MB counts megabytes, so 1024 of them are what the price is for.
            _price(
                "Memory per GB and month",
                _class("MEMORY_MB"),
                "month",
                "2.90",
                amount=1024,
                on=BOTH,
            ),
            {
                **_price("Disk per GB and month", _class("DISK_GB"), "month", "0.08", on=BOTH),
                "tiers": [{"above": "0", "price": "0.08"}, {"above": "10000", "price": "0.05"}],
                "free_quantity": "10",
            },
            # A GPU is held in thousandths, so a whole one is 1000.
            {
                **_price(
                    "A100 hour at least 10 minutes", _gpu("A100"), "hour", "2.50", amount=1000
                ),
                "minimum_seconds": 600,
            },
            _price("T4 hour", _gpu("T4"), "hour", "0.60", amount=1000),
            _price("Any GPU hour", _class("PGPU"), "hour", "1.00", amount=1000),
            _price(
                "Any GPU hour while on hold",
                _class("PGPU"),
                "hour",
                "0.25",
                amount=1000,
                on=("hold",),
            ),
            # A flavor as a whole: what it is made of costs nothing beside it.
            _price("Large bare metal hour", _flavor("metal-large"), "hour", "1.80", on=BOTH),
        ],
    }


def _price(
    name: str,
    target: Body,
    per: str,
    price: str,
    *,
    amount: int = 1,
    on: tuple[str, ...] = ("claim",),
) -> Body:
    return {
        "name": name,
        "target": target,
        "per": per,
        "amount": amount,
        "tiers": [{"price": price}],
        "applies_to": list(on),
    }


def _class(name: str) -> Body:
    return {"kind": "class", "resource_class": name}


def _gpu(model: str) -> Body:
    model_is = {"attribute": "model", "equals": model}
    return {"kind": "units", "resource_class": "PGPU", "where": [model_is]}


def _flavor(name: str) -> Body:
    return {"kind": "flavor", "name": name}
