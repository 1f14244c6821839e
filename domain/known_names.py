"""Whether the names in a call are known: standard ones, or custom ones that were defined."""

from __future__ import annotations

from collections.abc import Iterable

from domain.books import Books
from domain.catalog import ResourceClass, Trait, standard_resource_classes, standard_traits
from domain.errors import Invalid


def require_classes(books: Books, names: Iterable[str]) -> None:
    for name in names:
        # Most are standard, and need no look into the books.
        if not (name in standard_resource_classes() or books.get(ResourceClass, name).known):
            raise Invalid(
                "unknown_resource_class", f"there is no resource class {name}: define it first"
            )


def require_traits(books: Books, names: Iterable[str]) -> None:
    for name in names:
        if not (name in standard_traits() or books.get(Trait, name).known):
            raise Invalid("unknown_trait", f"there is no trait {name}: define it first")
