"""What resource classes and traits have in common: custom names that come and go."""

from __future__ import annotations

from domain.catalog import CatalogEntry
from projections.catalog import NameRow


class NameView(NameRow):
    """A name of a catalog. The standard ones are OpenStack's and cannot be removed."""


def name_view(entry: CatalogEntry) -> NameView:
    return NameView(name=entry.id, standard=entry.standard)
