"""What a cloud has, and what may become of it while it is in use."""

from typing import Any

import pytest

from domain.cloud import (
    change_inventories,
    change_traits,
    delete_provider,
    describe_provider,
    remove_resource_class,
)
from domain.component import Units
from domain.errors import Conflict, Invalid, NotFound, Stale
from domain.inventory import DivisibleInventory
from domain.ledger import change_claim, release_claim
from tests.open_ledger import OpenLedger, after, gpus, held, wish


def test_an_inventory_shrunk_below_its_use_keeps_its_claims_and_takes_no_more(
    ledger: OpenLedger,
) -> None:
    host = ledger.host("host", VCPU=8)
    ledger.ask("server", VCPU=6)
    ledger.run(change_inventories, host, {"VCPU": DivisibleInventory(total=4)})
    assert ledger.usage(host, "VCPU") == 6
    assert ledger.ask("more", VCPU=1).status == "refused"
    shrunk = ledger.run(change_claim, request_id="r-1", consumer_id="server", wish=wish(VCPU=5))
    assert held(shrunk.shares) == {host: {"VCPU": 5}}


def test_what_is_in_use_is_not_deleted(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=8, CUSTOM_FPGA=gpus("card0", "card1", capacity=1))
    ledger.ask("server", Units(resource_class="CUSTOM_FPGA"), VCPU=1)
    for change in ({"VCPU": None}, {"CUSTOM_FPGA": gpus("card1", capacity=1)}):
        with pytest.raises(Conflict, match="in use"):
            ledger.run(change_inventories, host, change)
    with pytest.raises(Conflict, match="hold resources"):
        ledger.run(delete_provider, host)
    with pytest.raises(Conflict, match="in use"):
        ledger.run(remove_resource_class, "CUSTOM_FPGA")
    ledger.run(release_claim, "server")
    ledger.run(change_inventories, host, {}, replace_all=True)
    ledger.run(remove_resource_class, "CUSTOM_FPGA")
    ledger.run(delete_provider, host)
    with pytest.raises(NotFound):
        ledger.run(change_traits, host, frozenset())


def test_a_parent_is_not_deleted_before_its_children(ledger: OpenLedger) -> None:
    host = ledger.host("host")
    cell = ledger.host("cell", parent=host)
    with pytest.raises(Conflict, match="parent of 1"):
        ledger.run(delete_provider, host)
    with pytest.raises(Conflict, match="below"):
        ledger.run(describe_provider, host, parent_id=cell, move=True)
    ledger.run(delete_provider, cell)
    ledger.run(delete_provider, host)


def test_a_provider_moves_with_all_that_is_below_it(ledger: OpenLedger) -> None:
    first, second = ledger.host("first"), ledger.host("second", MEMORY_MB=64)
    cell = ledger.host("cell", parent=first)
    ledger.host("core", parent=cell, VCPU=1)
    assert ledger.ask("server", VCPU=1, MEMORY_MB=1).status == "refused"
    ledger.run(describe_provider, cell, parent_id=second, move=True)
    assert ledger.ask("server", VCPU=1, MEMORY_MB=1).status == "placed"


def test_names_of_providers_are_unique_and_free_again_after_a_rename(ledger: OpenLedger) -> None:
    host = ledger.host("host")
    with pytest.raises(Conflict, match="already called"):
        ledger.host("host")
    ledger.run(describe_provider, host, name="renamed")
    ledger.host("host")


def test_a_stale_version_is_told_and_nothing_changes(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=1)
    with pytest.raises(Stale):
        ledger.run(change_traits, host, frozenset({"HW_CPU_X86_AVX2"}), expected=1)
    ledger.run(change_traits, host, frozenset({"HW_CPU_X86_AVX2"}), expected=2)


def test_unknown_names_and_contradictions_are_errors_not_refusals(ledger: OpenLedger) -> None:
    ledger.host("host", VCPU=1)
    unknown: list[dict[str, Any]] = [
        {"CUSTOM_NO_SUCH": 1},
        {"VCPU": 1, "required": ("CUSTOM_NO_SUCH",)},
    ]
    for conditions in unknown:
        with pytest.raises(Invalid, match="there is no"):
            ledger.ask("server", **conditions)
    avx = ("HW_CPU_X86_AVX2",)
    with pytest.raises(Invalid, match="both required and forbidden"):
        ledger.ask("server", VCPU=1, required=avx, forbidden=avx)


def test_times_never_run_backwards_on_a_stream(ledger: OpenLedger) -> None:
    host = ledger.host("host", VCPU=4, at=after(10))
    with pytest.raises(Conflict, match="earlier"):
        ledger.ask("server", VCPU=1, at=after(5))
    assert ledger.usage(host, "VCPU") == 0
