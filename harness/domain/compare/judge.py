"""Judges a replayed session: one comparison per step, from what was observed alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.domain.compare.answers import Answer, AnswerFindings, compare_answers, read_answer
from harness.domain.compare.cascade import Cascade, Followed
from harness.domain.compare.explain import Explained, Explainer
from harness.domain.compare.pages import settle_cut_runs
from harness.domain.compare.relation import Moment
from harness.domain.compare.repetition import with_repetition
from harness.domain.compare.rows import RowContext, RowFindings, compare_changes
from harness.domain.compare.rules import Rules
from harness.domain.compare.state import compare_states
from harness.domain.compare.timeline import Timeline, Timelines
from harness.domain.compare.waiving import Waivers, Waiving
from harness.domain.difference import Comparison, Difference, DifferenceKind, Facet, Outcome
from harness.domain.exchange import Exchange, ExchangePair
from harness.domain.identity import Identity, is_create
from harness.domain.noise import QUIET, Noise, learn_side
from harness.domain.record import SessionRecord, StepRecord
from harness.domain.rows import DatabaseState

_Noises = tuple[tuple[Noise, ...], tuple[Noise, ...]]
"""What the legacy's and the target's steps do not repeat."""


def judge_session(record: SessionRecord, rules: Rules) -> tuple[Comparison, ...]:
    """One comparison per step, in order.

    Guarantees that every difference between the two sides appears in exactly one of `differences`, `waived`,
    `cascaded`, `noisy` and `equivalent`, and that the same record and rules give the same comparisons. What differed
    before the first step is reported with the first step; what differed in the repetition alone is added to the step.
    """
    noises = _learn(record, rules)
    comparisons = _judge_pass(record, rules, noises)
    if _is_repeated(record, noises):
        return comparisons
    again = replace(record, steps=record.repeat, repeat=record.steps, initial_differences=())
    return with_repetition(comparisons, _judge_pass(again, rules, _learn(again, rules)))


def _judge_pass(record: SessionRecord, rules: Rules, noises: _Noises) -> tuple[Comparison, ...]:
    observed = _observe(record, rules, noises)
    settle_cut_runs([(step.record.pair, step.explained) for step in observed], rules)
    return tuple(_conclude(observed, record, rules))


def _is_repeated(record: SessionRecord, noises: _Noises) -> bool:
    """Whether the second pass can show nothing that the first does not: both sides repeat all but the same places."""
    has_rows = any(step.legacy_changes or step.target_changes for step in record.repeat)
    return not has_rows and all(mine is theirs or mine.is_like(theirs) for mine, theirs in zip(*noises, strict=True))


def judge_initial_state(legacy: DatabaseState, target: DatabaseState, rules: Rules) -> tuple[Difference, ...]:
    """Row differences between the two databases, as `SessionRecord.initial_differences` holds them."""
    return compare_states(legacy, target, rules.row_mapping)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Observed:
    """A step after everything but waivers and cascades has been said about it."""

    record: StepRecord
    explained: Explained
    notes: tuple[str, ...] = ()
    reused: tuple[str, ...] = ()
    is_byte_identical: bool = False
    is_comparable: bool = True


def _observe(record: SessionRecord, rules: Rules, noises: _Noises) -> list[_Observed]:
    legacy, target = _exchanges(record.steps)
    polled = frozenset(n for n, step in enumerate(record.steps) if step.pair.polled)
    timelines = Timelines(
        legacy=Timeline(exchanges=tuple(legacy), tolerance=rules.clock_tolerance, polled=polled),
        target=Timeline(exchanges=tuple(target), tolerance=rules.clock_tolerance, polled=polled),
    )
    identity = Identity(rules.row_mapping)
    observed = []
    for n, step in enumerate(record.steps):
        broken = identity.learn_rows(step, record.legacy_schemas, record.target_schemas)
        moment = Moment(timelines=timelines, step=n, place="", zone=rules.contract_zone)
        explainer = Explainer(
            identity=identity,
            legacy_noise=noises[0][n],
            target_noise=noises[1][n],
            moment=moment,
            declared=frozenset(step.pair.volatile),
            has_repeat=bool(record.repeat),
            gives_ids=is_create(step) and not step.legacy_changes and not step.target_changes,
        )
        observed.append(_observe_step(step, record, rules, explainer, broken))
        # Only now: the ids that an answer gives are judged by their noise before they are believed.
        observed[-1].explained.different.extend(identity.learn_answers(step))
    return observed


def _exchanges(steps: Sequence[StepRecord]) -> tuple[list[Exchange], list[Exchange]]:
    return [step.pair.legacy for step in steps], [step.pair.target for step in steps]


def _learn(record: SessionRecord, rules: Rules) -> _Noises:
    legacy, target = _exchanges(record.steps)
    if not record.repeat:
        return (QUIET,) * len(legacy), (QUIET,) * len(target)
    again = _exchanges(record.repeat)
    return learn_side(legacy, again[0], rules), learn_side(target, again[1], rules)


def _observe_step(
    step: StepRecord, record: SessionRecord, rules: Rules, explainer: Explainer, broken: tuple[Difference, ...]
) -> _Observed:
    explained = Explained()
    problem = _find_transport_problem(step.pair)
    notes: tuple[str, ...] = ()
    is_identical = is_comparable = False
    if isinstance(problem, Difference):
        explained.different.append(problem)
        is_comparable = True
    elif problem:
        notes = (problem,)
    else:
        found = compare_answers(step.pair, rules, explainer.identity)
        _explain_answers(found, explainer, explained)
        notes, is_identical, is_comparable = found.notes, found.is_byte_identical, True
    rows = _compare_rows(step, record, rules, explainer, explained)
    explained.different += [*broken, *rows.different]
    explained.noisy += rows.noisy
    return _Observed(
        record=step,
        explained=explained,
        notes=notes,
        reused=explainer.identity.reused,
        is_byte_identical=is_identical,
        is_comparable=is_comparable,
    )


def _explain_answers(found: AnswerFindings, explainer: Explainer, into: Explained) -> None:
    into.different += found.status
    explainer.explain_headers(found.headers.different, into)
    into.equivalent += found.headers.equivalent
    explainer.explain_body(found.body, into)


def _compare_rows(
    step: StepRecord, record: SessionRecord, rules: Rules, explainer: Explainer, explained: Explained
) -> RowFindings:
    noise = frozenset((d.legacy, d.target) for d in explained.noisy if d.legacy is not None and d.target is not None)
    context = RowContext(
        legacy_schemas=record.legacy_schemas,
        target_schemas=record.target_schemas,
        mapping=rules.row_mapping,
        identity=explainer.identity,
        moment=explainer.moment,
        known_noise=noise,
    )
    return compare_changes(step, context)


def _find_transport_problem(pair: ExchangePair) -> Difference | str:
    """A difference where only one side answered, a reason where neither did or a request could not be made."""
    legacy, target = pair.legacy, pair.target
    if not legacy.base_url or not target.base_url:  # an exchange that was never sent has no address
        return (legacy if not legacy.base_url else target).transport_error or ""
    if legacy.response is None and target.response is None:
        return f"neither side answered: {legacy.transport_error} / {target.transport_error}"
    if legacy.response is not None and target.response is not None:
        return ""
    return Difference(
        facet=Facet.TRANSPORT,
        pointer="",
        kind=DifferenceKind.VALUE,
        legacy=_outcome_text(legacy),
        target=_outcome_text(target),
    )


def _outcome_text(exchange: Exchange) -> str:
    if exchange.response is not None:
        return f'"answered {exchange.response.status}"'
    return f'"{exchange.transport_error}"'


def _conclude(observed: list[_Observed], record: SessionRecord, rules: Rules) -> list[Comparison]:
    waivers = Waivers(waivers=rules.waivers, today=rules.today, compares_state=record.compares_state)
    cascade = Cascade(sees_state=record.compares_state)
    comparisons = []
    for n, step in enumerate(observed):
        initial = record.initial_differences if n == 0 else ()
        comparisons.append(_conclude_step(step, initial, waivers, cascade, rules))
    return comparisons


def _conclude_step(
    step: _Observed, initial: tuple[Difference, ...], waivers: Waivers, cascade: Cascade, rules: Rules
) -> Comparison:
    pair, explained = step.record.pair, step.explained
    applied, followed = Waiving(left=explained.different), Followed(stays=explained.different)
    if explained.different and pair.legacy.response is not None and pair.target.response is not None:
        answers = read_answer(pair.legacy, rules), read_answer(pair.target, rules)
        applied, followed = _excuse(step, answers, waivers, cascade)
    cascade.end_lives(step.record)
    reuse = waivers.id_reuse(pair.operation) if step.reused else ""
    differences = (*initial, *followed.stays)
    return Comparison(
        session_id=pair.session_id,
        group=pair.group,
        step=pair.step,
        name=pair.name,
        operation=pair.operation,
        outcome=_outcome(step, differences, applied, followed, bool(reuse)),
        differences=differences,
        waived=tuple(applied.waived),
        noisy=tuple(explained.noisy),
        cascaded=tuple(followed.cascaded),
        cascades_from=followed.waivers if followed.cascaded else (),
        equivalent=tuple(explained.equivalent),
        waivers=(*applied.waivers, *([reuse] if reuse else [])),
        note="; ".join(_notes(step, applied, followed, bool(initial))),
    )


def _excuse(
    step: _Observed, answers: tuple[Answer, Answer], waivers: Waivers, cascade: Cascade
) -> tuple[Waiving, Followed]:
    applied = waivers.apply(step.record, *answers, step.explained.different)
    followed = cascade.split(applied.left, answers[0])
    if applied.leaves_apart:
        cascade.start(applied.waived, applied.waivers)
    return applied, followed


def _outcome(
    step: _Observed, differences: Sequence[Difference], applied: Waiving, followed: Followed, reuse: bool
) -> Outcome:
    """The worst that can be said of the step."""
    said = (
        (bool(differences), Outcome.DIFFERENT),
        (not step.is_comparable, Outcome.NOT_COMPARABLE),
        (bool(followed.cascaded), Outcome.CASCADED),
        (bool(applied.waived) or reuse, Outcome.WAIVED),
        (bool(step.explained.noisy), Outcome.NOISY),
        (bool(step.explained.equivalent or step.notes) or not step.is_byte_identical, Outcome.EQUIVALENT),
    )
    return next((outcome for holds, outcome in said if holds), Outcome.IDENTICAL)


def _notes(step: _Observed, applied: Waiving, followed: Followed, has_initial: bool) -> list[str]:
    notes = ["the sides differed before the first step"] if has_initial else []
    notes += [*step.notes, *applied.notes]
    notes += [f"the legacy gave the deleted row's id to a new row: {key}" for key in step.reused]
    if followed.cascaded:
        notes.append(f"follows from the state that waiver {', '.join(followed.waivers)} left different")
    return notes
