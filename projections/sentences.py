"""Every event as people read it: one sentence, with the names of providers where they are known."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from domain import (
    catalog,
    claim,
    consumer_group,
    flavor,
    gang,
    idempotency,
    provider_events,
    request,
)
from domain.closed_statements import StatementClosed, StatementCorrected
from domain.events import Event
from domain.price_book import PriceBookPublished
from domain.provider import Provider
from domain.streams import id_of
from domain.wish import Wish
from projections.wording import (
    Names,
    count,
    expansion_in_words,
    inventory_in_words,
    listed,
    name_of,
    share_in_words,
    shares_in_words,
    time,
    wish_in_words,
)


def summary(event: Event, names: Names) -> str:
    """What happened, without the time."""
    return _sentences()[type(event)](event, names)


def providers_of(event: Event) -> set[str]:
    """The ids of the providers that the event's sentence names."""
    found = {*(getattr(event, "shares", None) or {})}
    found |= {id for ids in getattr(event, "mappings", ()) for id in ids}
    found |= {*(getattr(event, "provider_ids", ()) or ())}
    if event.originator_id.startswith(Provider.stream_of("")):
        found.add(id_of(event.originator_id))
    for field in ("provider_id", "parent_id"):
        found.add(getattr(event, field, None) or "")
    wish = getattr(event, "wish", None)
    if isinstance(wish, Wish):
        for option in wish.options:
            found |= {option.in_tree or "", option.within or ""}
            found |= {component.within or "" for component in option.components}
    return found - {""}


# --- Providers ------------------------------------------------------------------------------------


def _registered(event: provider_events.ProviderRegistered, names: Names) -> str:
    if event.parent_id is None:
        return f"provider {event.name} was registered"
    return f"provider {event.name} was registered below {name_of(event.parent_id, names)}"


def _renamed(event: provider_events.ProviderRenamed, _: Names) -> str:
    return f"provider {id_of(event.originator_id)} was named {event.name}"


def _moved(event: provider_events.ProviderMoved, names: Names) -> str:
    below = "became a root"
    if event.parent_id is not None:
        below = f"was moved below {name_of(event.parent_id, names)}"
    return f"provider {_of(event, names)} {below}"


def _inventory_changed(event: provider_events.InventoryChanged, names: Names) -> str:
    where = f"{event.resource_class} on {_of(event, names)}"
    if event.inventory is None:
        return f"the inventory of {where} was removed"
    return f"the inventory of {where} is now {inventory_in_words(event.inventory)}"


def _traits_changed(event: provider_events.TraitsChanged, names: Names) -> str:
    return f"provider {_of(event, names)} now has the traits {listed(event.traits)}"


def _groups_changed(event: provider_events.GroupsChanged, names: Names) -> str:
    return f"provider {_of(event, names)} is now in the groups {listed(event.groups)}"


def _generation_raised(event: provider_events.GenerationRaised, names: Names) -> str:
    return f"provider {_of(event, names)} was described again as it was"


def _requested(event: provider_events.Requested, names: Names) -> str:
    what = f"{event.consumer_id} requested {share_in_words(event.share)} on {_of(event, names)}"
    return what if event.hold_until is None else f"{what}, held until {time(event.hold_until)}"


def _claimed(event: provider_events.Claimed, names: Names) -> str:
    return f"{event.consumer_id} claimed on {_of(event, names)} what it requested"


def _released(event: provider_events.Released, names: Names) -> str:
    return f"{event.consumer_id} gave back {share_in_words(event.share)} on {_of(event, names)}"


def _lapsed(event: provider_events.Lapsed, names: Names) -> str:
    what = f"{share_in_words(event.share)} on {_of(event, names)}"
    return f"the hold of {event.consumer_id} on {what} {_ended(event)}"


def _deleted(event: provider_events.ProviderDeleted, names: Names) -> str:
    return f"provider {_of(event, names)} was deleted"


def _snapshot(event: provider_events.ProviderSnapshot, _: Names) -> str:
    return f"the state of provider {event.name} was kept, with {len(event.holdings)} holders"


# --- Claims ---------------------------------------------------------------------------------------


def _claim_held(event: claim.ClaimHeld, names: Names) -> str:
    until = time(event.hold_until)
    return f"{event.consumer_id} holds {shares_in_words(event.shares, names)} until {until}"


def _claim_granted(event: claim.ClaimGranted, names: Names) -> str:
    return f"{event.consumer_id} claimed {shares_in_words(event.shares, names)}"


def _claim_changed(event: claim.ClaimChanged, names: Names) -> str:
    return f"{event.consumer_id} changed its claim to {shares_in_words(event.shares, names)}"


def _claim_released(event: claim.ClaimReleased, names: Names) -> str:
    return f"{event.consumer_id} gave back {shares_in_words(event.shares, names)}"


def _claim_lapsed(event: claim.ClaimLapsed, _: Names) -> str:
    return f"the hold of {event.consumer_id} {_ended(event)}"


# --- Requests -------------------------------------------------------------------------------------


def _submitted(event: request.RequestSubmitted, names: Names) -> str:
    verb = "asked to change its claim to" if event.changes_claim else "asked for"
    what = f"{event.consumer.id} {verb} {wish_in_words(event.wish, names)}"
    return what if event.hold_until is None else f"{what}, to hold until {time(event.hold_until)}"


def _held(event: request.RequestHeld, names: Names) -> str:
    return f"held: {shares_in_words(event.shares, names)} until {time(event.hold_until)}"


def _placed(event: request.RequestPlaced, names: Names) -> str:
    return f"placed: {shares_in_words(event.shares, names)}"


def _refused(event: request.RequestRefused, _: Names) -> str:
    if not event.reasons:
        return "refused: there is no provider to consider"
    reasons = [f"{count(reason.count, 'provider')} {reason.detail}" for reason in event.reasons]
    return f"refused: {'; '.join(reasons)}"


def _withdrawn(_: request.RequestWithdrawn, __: Names) -> str:
    return "withdrawn: the hold was given back"


def _expired(event: request.RequestExpired, _: Names) -> str:
    return f"expired: nobody confirmed the hold by {time(event.expired_at)}"


# --- Gangs and groups of consumers ----------------------------------------------------------------


def _gang_placed(event: gang.GangPlaced, _: Names) -> str:
    return f"a gang was placed: {listed(one.consumer_id for one in event.members)}"


def _gang_refused(event: gang.GangRefused, _: Names) -> str:
    return f"a gang was refused: {listed(one.consumer_id for one in event.members)}"


def _member_placed(event: consumer_group.MemberPlaced, names: Names) -> str:
    where = listed(name_of(one, names) for one in event.provider_ids)
    return f"{event.consumer_id} of the group {_group(event)} is on {where}"


def _member_left(event: consumer_group.MemberLeft, _: Names) -> str:
    return f"{event.consumer_id} of the group {_group(event)} holds nothing any more"


def _group(event: Event) -> str:
    return id_of(event.originator_id).partition("/")[0]


# --- Catalogs and keys ----------------------------------------------------------------------------


def _class_defined(event: Event, _: Names) -> str:
    return f"resource class {id_of(event.originator_id)} was defined"


def _class_removed(event: Event, _: Names) -> str:
    return f"resource class {id_of(event.originator_id)} was removed"


def _trait_defined(event: Event, _: Names) -> str:
    return f"trait {id_of(event.originator_id)} was defined"


def _trait_removed(event: Event, _: Names) -> str:
    return f"trait {id_of(event.originator_id)} was removed"


def _prices_published(event: PriceBookPublished, _: Names) -> str:
    book, currency = id_of(event.originator_id), event.prices.currency
    prices = count(len(event.prices.prices), "price")
    return f"price book {book} number {event.number} says {prices} in {currency}"


def _statement_closed(event: StatementClosed, _: Names) -> str:
    charge = event.charge
    return (
        f"the statement of {event.project_id} for {event.period} by {event.price_book} number "
        f"{charge.price_book_number} was closed with {charge.total} {charge.currency}"
    )


def _statement_corrected(event: StatementCorrected, _: Names) -> str:
    charge = event.charge
    return (
        f"the statement of {event.project_id} for {event.period} by {event.price_book} number "
        f"{charge.price_book_number} was corrected: {event.credit} credited, {charge.total} "
        f"{charge.currency} charged ({event.reason})"
    )


def _flavor_defined(event: flavor.FlavorDefined, _: Names) -> str:
    name = id_of(event.originator_id)
    return f"flavor {name} number {event.number} is {expansion_in_words(event.expansion)}"


def _flavor_removed(event: Event, _: Names) -> str:
    return f"flavor {id_of(event.originator_id)} is no longer offered"


def _name_taken(event: catalog.ProviderNameTaken, _: Names) -> str:
    return f"the name {id_of(event.originator_id)} was taken by provider {event.provider_id}"


def _name_freed(event: Event, _: Names) -> str:
    return f"the name {id_of(event.originator_id)} was given up"


def _answered(event: idempotency.CommandAnswered, _: Names) -> str:
    key = f"the call with key {id_of(event.originator_id)}"
    if event.error is not None:
        return f"{key} was answered with the error {event.error.code}"
    return f"{key} was answered with {event.stream} at version {event.version}"


# --- All of them ----------------------------------------------------------------------------------


def _of(event: Event, names: Names) -> str:
    return name_of(id_of(event.originator_id), names)


def _ended(event: provider_events.Lapsed | claim.ClaimLapsed) -> str:
    verb = "lapsed" if event.reason == "expired" else "was withdrawn"
    return f"{verb} at {time(event.lapsed_at)}"


@cache
def _sentences() -> dict[type[Event], Callable[[Any, Names], str]]:
    return {
        provider_events.ProviderRegistered: _registered,
        provider_events.ProviderRenamed: _renamed,
        provider_events.ProviderMoved: _moved,
        provider_events.InventoryChanged: _inventory_changed,
        provider_events.TraitsChanged: _traits_changed,
        provider_events.GroupsChanged: _groups_changed,
        provider_events.GenerationRaised: _generation_raised,
        provider_events.Requested: _requested,
        provider_events.Claimed: _claimed,
        provider_events.Released: _released,
        provider_events.Lapsed: _lapsed,
        provider_events.ProviderDeleted: _deleted,
        provider_events.ProviderSnapshot: _snapshot,
        claim.ClaimHeld: _claim_held,
        claim.ClaimGranted: _claim_granted,
        claim.ClaimChanged: _claim_changed,
        claim.ClaimReleased: _claim_released,
        claim.ClaimLapsed: _claim_lapsed,
        request.RequestSubmitted: _submitted,
        request.RequestHeld: _held,
        request.RequestPlaced: _placed,
        request.RequestRefused: _refused,
        request.RequestWithdrawn: _withdrawn,
        request.RequestExpired: _expired,
        gang.GangPlaced: _gang_placed,
        gang.GangRefused: _gang_refused,
        consumer_group.MemberPlaced: _member_placed,
        consumer_group.MemberLeft: _member_left,
        catalog.ResourceClassDefined: _class_defined,
        catalog.ResourceClassRemoved: _class_removed,
        catalog.TraitDefined: _trait_defined,
        catalog.TraitRemoved: _trait_removed,
        catalog.ProviderNameTaken: _name_taken,
        catalog.ProviderNameFreed: _name_freed,
        flavor.FlavorDefined: _flavor_defined,
        flavor.FlavorRemoved: _flavor_removed,
        PriceBookPublished: _prices_published,
        StatementClosed: _statement_closed,
        StatementCorrected: _statement_corrected,
        idempotency.CommandAnswered: _answered,
    }
