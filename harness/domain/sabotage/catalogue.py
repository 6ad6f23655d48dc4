"""All planted defects."""

from harness.domain.sabotage.defect import Defect
from harness.domain.sabotage.envelopes import ENVELOPE_DEFECTS
from harness.domain.sabotage.structures import STRUCTURE_DEFECTS
from harness.domain.sabotage.values import NOISE_DEFECTS, VALUE_DEFECTS
from harness.domain.sabotage.writes import WRITE_DEFECTS

DEFECTS: tuple[Defect, ...] = (
    *VALUE_DEFECTS,
    *NOISE_DEFECTS,
    *STRUCTURE_DEFECTS,
    *ENVELOPE_DEFECTS,
    *WRITE_DEFECTS,
)
