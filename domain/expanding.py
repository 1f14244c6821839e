"""What flavors in a wish mean now, put in the place of their names."""

from __future__ import annotations

from collections.abc import Iterable

from domain.books import Books
from domain.component import Component, ExpandedFlavor, FlavorComponent, StoredComponent
from domain.flavor import Flavor


def expand(books: Books, components: Iterable[Component]) -> tuple[StoredComponent, ...]:
    """Stored with their meaning, so that later edits change nothing. Raises NotFound."""
    return tuple(
        _expanded(books, component) if isinstance(component, FlavorComponent) else component
        for component in components
    )


def _expanded(books: Books, component: FlavorComponent) -> ExpandedFlavor:
    if isinstance(component, ExpandedFlavor):
        return component
    definition = books.get(Flavor, component.name).definition(component.number)
    facts = {name: getattr(component, name) for name in FlavorComponent.model_fields}
    return ExpandedFlavor(**{**facts, "number": definition.number}, expansion=definition.expansion)
