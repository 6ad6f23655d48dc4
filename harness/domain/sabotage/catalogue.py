"""All planted defects."""

from harness.domain.sabotage.defect import Defect, now_and_then
from harness.domain.sabotage.envelopes import ENVELOPE_DEFECTS
from harness.domain.sabotage.structures import STRUCTURE_DEFECTS
from harness.domain.sabotage.values import NOISE_DEFECTS, VALUE_DEFECTS
from harness.domain.sabotage.writes import WRITE_DEFECTS

_STEADY_DEFECTS: tuple[Defect, ...] = (
    *VALUE_DEFECTS,
    *NOISE_DEFECTS,
    *STRUCTURE_DEFECTS,
    *ENVELOPE_DEFECTS,
    *WRITE_DEFECTS,
)
_ALSO_NOW_AND_THEN = frozenset(
    {"off-by-one", "number-as-string", "null-as-zero", "missing-key", "page-short", "order-swapped", "empty-body"}
    | {"status-created", "status-unauthorised", "vary", "no-content-type", "location-lost"}
)
DEFECTS: tuple[Defect, ...] = (
    *_STEADY_DEFECTS,
    *(now_and_then(defect) for defect in _STEADY_DEFECTS if defect.name in _ALSO_NOW_AND_THEN),
)
