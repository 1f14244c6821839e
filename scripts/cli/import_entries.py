"""What an import file says, by provider: every row checked alone, then against the others."""

from dataclasses import dataclass, field
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from domain.catalog import standard_resource_classes, standard_traits
from domain.inventory import DiscreteInventory, DivisibleInventory, Inventories, Unit
from domain.values import GroupName, ProviderName, TraitName
from scripts.cli.names import provider_id


class Entry(BaseModel):
    """One JSON element, or one CSV row: a provider, or a part of what is said of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ProviderName
    id: UUID | None = None
    parent: ProviderName | None = None
    parent_id: UUID | None = None
    traits: tuple[TraitName, ...] = ()
    groups: tuple[GroupName, ...] = ()
    inventories: Inventories = {}

    @model_validator(mode="after")
    def _names_one_parent(self) -> "Entry":
        if self.parent is not None and self.parent_id is not None:
            raise ValueError("give either `parent` (a name) or `parent_id`")
        return self

    @model_validator(mode="after")
    def _names_what_is_or_can_be_defined(self) -> "Entry":
        for noun, names, standard in (
            ("resource class", self.inventories, standard_resource_classes()),
            ("trait", self.traits, standard_traits()),
        ):
            for name in names:
                if name not in standard and not name.startswith("CUSTOM_"):
                    raise ValueError(
                        f"{name} is no standard {noun}; names of your own begin with CUSTOM_"
                    )
        return self


@dataclass(slots=True)
class Draft:
    """All that the files say of one provider; `place` is where it was first named."""

    name: str
    place: str
    id: str | None = None
    parent: str | None = None
    parent_id: str | None = None
    traits: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    amounts: dict[str, DivisibleInventory] = field(default_factory=dict)
    units: dict[str, dict[str, Unit]] = field(default_factory=dict)

    @property
    def wanted_id(self) -> str:
        """The id that it gets if the ledger does not know its name yet."""
        return self.id or provider_id(self.name)

    def inventories(self) -> Inventories:
        discrete = {
            name: DiscreteInventory(units=tuple(units.values()))
            for name, units in self.units.items()
        }
        return {**self.amounts, **discrete}

    def add(self, entry: Entry) -> None:
        """Raises ValueError where the entry contradicts what was said before."""
        self.id = _same("id", self.id, _text(entry.id))
        self.parent = _same("parent", self.parent, entry.parent)
        self.parent_id = _same("parent_id", self.parent_id, _text(entry.parent_id))
        self.traits.update(entry.traits)
        self.groups.update(entry.groups)
        for name, inventory in entry.inventories.items():
            if isinstance(inventory, DivisibleInventory):
                self._add_amount(name, inventory)
            else:
                self._add_units(name, inventory)

    def _add_amount(self, name: str, inventory: DivisibleInventory) -> None:
        if name in self.amounts or name in self.units:
            raise ValueError(f"{self.name} already has an inventory of {name}")
        self.amounts[name] = inventory

    def _add_units(self, name: str, inventory: DiscreteInventory) -> None:
        if name in self.amounts:
            raise ValueError(f"{self.name} already has an amount of {name}, so it has no units")
        units = self.units.setdefault(name, {})
        for unit in inventory.units:
            if unit.name in units:
                raise ValueError(f"{self.name} already has a unit {unit.name} of {name}")
            units[unit.name] = unit


class Gathered:
    """Drafts by name, every problem found so far, and the names of all classes and traits."""

    def __init__(self) -> None:
        self.drafts: dict[str, Draft] = {}
        self.problems: list[str] = []
        self.classes: set[str] = set()
        self.traits: set[str] = set()

    def add(self, place: str, value: object) -> None:
        """Takes one JSON element or what a CSV row amounts to; a bad one becomes a problem."""
        try:
            entry = Entry.model_validate(value)
            draft = self.drafts.setdefault(entry.name, Draft(entry.name, place))
            draft.add(entry)
        except ValidationError as error:
            self.problems.append(f"{place}: {_sentence(error)}")
        except ValueError as error:
            self.problems.append(f"{place}: {error}")
        else:
            self.classes.update(entry.inventories)
            self.traits.update(entry.traits)

    def parents_first(self) -> list[Draft]:
        """In the files' order otherwise. A ring of parents becomes a problem."""
        by_id = {draft.wanted_id: draft for draft in self.drafts.values()}
        if len(by_id) < len(self.drafts):
            self.problems.append("two providers have the same id")
        done: dict[str, Draft] = {}
        for draft in self.drafts.values():
            self._visit(draft, by_id, done)
        return list(done.values())

    def _visit(self, draft: Draft, by_id: dict[str, Draft], done: dict[str, Draft]) -> None:
        # A walk up to the first ancestor that is done; not a recursion, as a tree may be deep.
        chain: dict[str, Draft] = {}
        current: Draft | None = draft
        while current is not None and current.name not in done:
            if current.name in chain:
                self.problems.append(f"{current.place}: {current.name} is its own ancestor")
                return
            chain[current.name] = current
            current = self.drafts.get(current.parent or "") or by_id.get(current.parent_id or "")
        for link in reversed(chain.values()):
            done[link.name] = link


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _same(what: str, before: str | None, now: str | None) -> str | None:
    if before is not None and now is not None and before != now:
        raise ValueError(f"{what} was {before!r} in an earlier row and is {now!r} here")
    return before if now is None else now


def _sentence(error: ValidationError) -> str:
    parts = []
    for problem in error.errors(include_url=False):
        where = ".".join(str(step) for step in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        parts.append(f"{where}: {message}" if where else message)
    return "; ".join(parts)
