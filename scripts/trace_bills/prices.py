"""Two price books for traces in openb's layout. The amounts are made up."""

from typing import Any

Book = dict[str, Any]


def this_year() -> Book:
    return _book(cpu="0.021", memory="2.30", gpu="0.62", by_model={"V100": "2.04", "G3": "3.10"})


def next_year() -> Book:
    """CPUs are dearer, the great GPUs cheaper."""
    return _book(cpu="0.0235", memory="2.30", gpu="0.62", by_model={"V100": "1.86", "G3": "2.75"})


def _book(*, cpu: str, memory: str, gpu: str, by_model: dict[str, str]) -> Book:
    models = {"V100": ["V100M16", "V100M32"], "G3": ["G3"]}
    return {
        "currency": "EUR",
        "month_rule": "calendar",
        "prices": [
            _price("CPU hour", _class("CUSTOM_CPU_MILLI"), cpu, amount=1000, free_quantity="100"),
            _price(
                "memory GiB month",
                _class("MEMORY_MB"),
                memory,
                {"above": "500", "price": "1.95"},
                amount=1024,
                per="month",
            ),
            # A job of some seconds costs a minute.
            _price("GPU hour", _class("PGPU"), gpu, amount=1000, minimum_seconds=60),
            *(
                _price(
                    f"GPU hour {name}",
                    {
                        "kind": "units",
                        "resource_class": "PGPU",
                        "where": [{"attribute": "model", "in": models[name]}],
                    },
                    price,
                    amount=1000,
                    minimum_seconds=60,
                )
                for name, price in by_model.items()
            ),
        ],
    }


def _class(name: str) -> Book:
    return {"kind": "class", "resource_class": name}


def _price(name: str, target: Book, price: str, *tiers: Book, **more: Any) -> Book:
    return {
        "name": name,
        "target": target,
        "per": "hour",
        "tiers": [{"price": price}, *tiers],
        **more,
    }
