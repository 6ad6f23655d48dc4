"""Says of each body and header finding whether identity, open order or noise explains it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.domain.compare.document import to_text
from harness.domain.compare.pointer import ABSENT, to_pointer
from harness.domain.compare.rekey import is_id_name, may_name_one_row
from harness.domain.compare.relation import Moment, Sample, is_day_change, relation_problem
from harness.domain.compare.structure import Finding, Openness
from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.identity import Identity
from harness.domain.noise import Noise


@dataclass(slots=True, kw_only=True)
class Explained:
    """A step's findings by what became of them; `cut` waits for the other pages of the same list."""

    different: list[Difference] = field(default_factory=list)
    noisy: list[Difference] = field(default_factory=list)
    equivalent: list[Difference] = field(default_factory=list)
    cut: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explainer:
    """What explains a step's findings; `declared` are pointers whose author calls them volatile."""

    identity: Identity
    legacy_noise: Noise
    target_noise: Noise
    moment: Moment
    declared: frozenset[str] = frozenset()
    has_repeat: bool = True
    gives_ids: bool = False
    """Whether the answer creates something that no row shows: its own ids are then each side's."""

    def explain_body(self, findings: Iterable[Finding], into: Explained) -> None:
        """Sorts body findings; what nothing explains stays different."""
        for finding in findings:
            if finding.open == Openness.CUT:
                into.cut.append(finding)
            elif finding.open == Openness.ORDER:
                into.equivalent.append(body_difference(finding))
            elif finding.kind is DifferenceKind.ORDER and self._is_noisy_order(finding):
                into.noisy.append(body_difference(finding))
            else:
                self._explain_value(finding, into)

    def explain_headers(self, differences: Iterable[Difference], into: Explained) -> None:
        """Sorts header differences: noise is learned for headers as for members."""
        for difference in differences:
            mine = self.legacy_noise.headers.get(difference.pointer)
            theirs = self.target_noise.headers.get(difference.pointer)
            is_noise = difference.kind is DifferenceKind.VALUE and mine is not None and theirs is not None
            if is_noise and relation_problem(mine, theirs, self.moment) is None:  # type: ignore[arg-type]
                into.noisy.append(difference)
            else:
                into.different.append(difference)

    def _explain_value(self, finding: Finding, into: Explained) -> None:
        if finding.legacy is ABSENT or finding.target is ABSENT or finding.kind is DifferenceKind.DUPLICATE_KEY:
            into.different.append(body_difference(finding))
            return
        name = next((step for step in reversed(finding.path) if isinstance(step, str)), "")
        kind, is_noise = self._noise_kind(finding)
        if is_noise:
            into.noisy.append(body_difference(finding))
        elif is_id_name(name) and kind is DifferenceKind.VALUE and self._is_identity(finding):
            into.equivalent.append(body_difference(finding, DifferenceKind.IDENTITY))
        else:
            is_broken = is_id_name(name) and self._breaks_identity(finding)
            into.different.append(body_difference(finding, DifferenceKind.IDENTITY if is_broken else kind))

    def _is_identity(self, finding: Finding) -> bool:
        if self.identity.is_pair(finding.legacy, finding.target):
            return True
        is_noisy = to_pointer(finding.legacy_path) in {*self.legacy_noise.values, *self.target_noise.values}
        is_given = self.gives_ids and len(finding.legacy_path) == 1 and not is_noisy
        return is_given and may_name_one_row(finding.legacy, finding.target)

    def _breaks_identity(self, finding: Finding) -> bool:
        if finding.kind is not DifferenceKind.VALUE:
            return False
        return self.identity.is_known(finding.legacy, finding.target)

    def _noise_kind(self, finding: Finding) -> tuple[DifferenceKind, bool]:
        """The kind of the difference, and whether it is noise whose relation holds."""
        moment = Moment(
            timelines=self.moment.timelines,
            step=self.moment.step,
            place=to_pointer(finding.legacy_path),
            zone=self.moment.zone,
        )
        samples = self._samples(finding)
        if samples is not None:
            problem = relation_problem(*samples, moment)
            if problem is None:
                return finding.kind, True
            if not is_day_change(finding.legacy, finding.target, moment):
                return problem.kind, False
        return finding.kind, is_day_change(finding.legacy, finding.target, moment)

    def _samples(self, finding: Finding) -> tuple[Sample, Sample] | None:
        here, there = to_pointer(finding.legacy_path), to_pointer(finding.target_path)
        mine, theirs = self.legacy_noise.values.get(here), self.target_noise.values.get(there)
        if mine is not None and theirs is not None:
            return mine._replace(first=finding.legacy), theirs._replace(first=finding.target)
        if not self.has_repeat and here in self.declared:
            # Nothing was learned: each side's value is the only other sample of the same noise.
            return Sample(finding.legacy, finding.target), Sample(finding.target, finding.legacy)
        return None

    def _is_noisy_order(self, finding: Finding) -> bool:
        here, there = to_pointer(finding.legacy_path), to_pointer(finding.target_path)
        is_learned = here in self.legacy_noise.orders and there in self.target_noise.orders
        return is_learned or here in self.declared


def body_difference(finding: Finding, kind: DifferenceKind | None = None) -> Difference:
    """A finding as it is reported."""
    return Difference(
        facet=Facet.BODY,
        pointer=to_pointer(finding.path),
        kind=kind or finding.kind,
        legacy=None if finding.legacy is ABSENT else to_text(finding.legacy),
        target=None if finding.target is ABSENT else to_text(finding.target),
    )
