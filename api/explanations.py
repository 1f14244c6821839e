"""Explanations: why a request went where it went, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Request as Call
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.identities import RequestId
from api.openapi import noun, reads
from api.reads import house_of, json_response
from api.requests import find_request
from domain.decision import Decision, Relaxation, Stranding
from domain.wish import Preference
from projections.providers import provider_names
from projections.requests import ReasonRow, RequestRow, RequestStatus

router = noun("requests")


class CandidateView(BaseModel):
    """A tree that was considered, by its root. Higher scores are preferred."""

    provider_id: str
    provider_name: str
    score: int
    chosen: bool


class ExplanationView(BaseModel):
    """`sentences` say the same to people."""

    request_id: str
    status: RequestStatus
    option: int | None = Field(
        default=None, description="Which option of the wish was placed, from 0."
    )
    preference: Preference | None = Field(
        default=None, description="As it was decided: policy, chance and seed."
    )
    fitting: int | None = Field(
        default=None, description="How many trees fitted; null if nobody counted them."
    )
    candidates: list[CandidateView] = Field(
        default=[], description="The best ones, and the chosen one."
    )
    stranding: Stranding | None = None
    considered: int | None = Field(
        default=None, description="How many trees there were to refuse it."
    )
    reasons: list[ReasonRow] = []
    relaxations: tuple[Relaxation, ...] = ()
    sentences: list[str]


@router.get(
    "/v1/requests/{request_id}/explain",
    response_model=ExplanationView,
    **reads("request_not_found"),
)
async def explain_request(call: Call, request_id: RequestId) -> Response:
    """Why a request was placed where it is, or refused. `/reasons` tells the refusal provider by
    provider."""
    row = await find_request(call, request_id)
    names = await house_of(call).query(
        lambda connection: provider_names(connection, _providers_of(row)), "capacity"
    )
    if row.status == "refused":
        return json_response(_of_refusal(row, names))
    return json_response(_of_placing(row, row.decision, names))


def _providers_of(row: RequestRow) -> list[str]:
    candidates = () if row.decision is None else row.decision.candidates
    return [
        *(one.provider_id for one in candidates),
        *(one.provider_id for one in row.relaxations),
    ]


def _of_placing(
    row: RequestRow, decision: Decision | None, names: dict[str, str]
) -> ExplanationView:
    if decision is None:
        said = ["It was placed; how it was decided was not kept then."]
        return ExplanationView(request_id=row.id, status=row.status, sentences=said)
    candidates = [
        CandidateView(
            provider_id=one.provider_id,
            provider_name=names.get(one.provider_id, one.provider_id),
            score=one.score,
            chosen=one.provider_id == decision.chosen,
        )
        for one in decision.candidates
    ]
    return ExplanationView(
        request_id=row.id,
        status=row.status,
        option=decision.option,
        preference=decision.preference,
        fitting=decision.fitting,
        candidates=candidates,
        stranding=decision.stranding,
        sentences=list(_placing(decision, candidates)),
    )


def _of_refusal(row: RequestRow, names: dict[str, str]) -> ExplanationView:
    return ExplanationView(
        request_id=row.id,
        status=row.status,
        considered=row.considered,
        reasons=row.reasons,
        relaxations=row.relaxations,
        sentences=list(_refusal(row, names)),
    )


def _placing(decision: Decision, candidates: list[CandidateView]) -> Iterator[str]:
    chosen = next(one for one in candidates if one.chosen)
    preference = decision.preference
    how = preference.policy or f"weights {preference.weights}"
    of = "" if decision.fitting is None else f" of {decision.fitting} that fitted"
    yield f"It was placed in the tree of {chosen.provider_name}, by {how}{of}."
    if decision.option:
        yield f"The wish itself fitted nowhere: this is alternative {decision.option}."
    if preference.among > 1:
        yield f"Chance chose among the {preference.among} best, with the seed {preference.seed}."
    others = [f"{one.provider_name} ({one.score})" for one in candidates if not one.chosen]
    if others:
        yield f"Its score is {chosen.score}; others: {', '.join(others)}."
    if (stranding := decision.stranding) is not None:
        yield (
            f"Stranded there: {stranding.before} of {stranding.resource_class} before, "
            f"{stranding.after} after, by the demand up to position {stranding.as_of}."
        )


def _refusal(row: RequestRow, names: dict[str, str]) -> Iterator[str]:
    yield f"It was refused: none of {row.considered} trees of providers could serve it."
    for reason in row.reasons:
        of = f" (alternative {reason.option})" if reason.option else ""
        yield f"{reason.count} {reason.detail}{of}."
    for one in row.relaxations:
        changes = " and ".join(change.detail for change in one.changes)
        name = names.get(one.provider_id, one.provider_id)
        yield f"With {changes} it would have fitted on {name}."
