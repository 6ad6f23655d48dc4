"""`decision.json`: the decision as other programs read it."""

import msgspec

from harness.domain.criterion import CriterionResult, ReadinessDecision


def encode_decision(decision: ReadinessDecision) -> bytes:
    """The bytes of `decision.json`; the same decision gives the same bytes.

    Source: `reports/schemas/decision.schema.json`.
    """
    document = {
        "format_version": decision.format_version,
        "environment": decision.environment,
        "profile": decision.profile,
        "decision": decision.decision,
        "phases": [
            {
                "phase": phase.phase,
                "decision": phase.decision,
                "criteria": [_criterion(result) for result in phase.criteria],
            }
            for phase in decision.phases
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _criterion(result: CriterionResult) -> dict[str, object]:
    document: dict[str, object] = msgspec.to_builtins(result)
    del document["is_required"]
    return document
