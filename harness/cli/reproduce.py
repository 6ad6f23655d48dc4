"""`parakeet replay --finding`: one finding of a stored run seen again, or not."""

import asyncio
import sys

from rich.console import Console

from harness.cli.findings import exit_code, print_judgement
from harness.domain.compare.rules import Rules
from harness.domain.errors import ExitCode
from harness.domain.findings import DifferenceRecord
from harness.settings import Settings
from harness.wiring.finding import Reproduction, StoredFinding, replay_finding
from harness.wiring.judgement import Judgement, judge_run
from harness.wiring.rejudge import render_judged
from harness.wiring.replay_request import ReplayRequest


def reproduce(
    request: ReplayRequest, settings: Settings, rules: Rules, stored: StoredFinding, *, is_shrunk: bool
) -> ExitCode:
    """Replays the finding's session and says whether the same signature is there again; ends as a replay does."""
    notes = Console(stderr=True, soft_wrap=True, highlight=False)
    if request.legacy_db is None and is_shrunk:
        notes.print("no database is given: the state is not restored between tries")

    def tell(tries: int, steps: int) -> None:
        if sys.stderr.isatty():
            notes.print(f"try {tries}: the smallest session so far has {steps} steps")

    done = asyncio.run(replay_finding(request, settings, stored, rules, on_try=tell if is_shrunk else None))
    judgement = judge_run(request.out, rules)
    print_judgement(judgement)
    render_judged(request.out, judgement, rules)
    _print(done, stored.difference, judgement)
    return exit_code(judgement)


def _print(done: Reproduction, wanted: DifferenceRecord, judgement: Judgement) -> None:
    console = Console(soft_wrap=True, highlight=False)

    def say(text: str) -> None:
        console.print(text, markup=False)

    seen = [found for found in judgement.differences if found.signature == wanted.signature]
    say(f"finding {wanted.id}: {wanted.signature}")
    if done.shrunk is not None and done.shrunk.session is not None:
        bound = "" if done.shrunk.is_minimal else "; the tries ran out, so a smaller one may exist"
        say(f"shrunk to {_count(len(done.session.steps), 'step')}; sessions tried: {done.shrunk.tries}{bound}")
    elif done.shrunk is not None:
        say("not shrunk: the steps up to the finding do not show it")
    if not seen:
        say("not reproduced: the same requests do not show it now")
    for found in seen[:1]:
        say(f"reproduced at step {found.step}, {found.name}: {found.legacy} against {found.target}")
        say(f"legacy:  {found.curl_legacy}")
        say(f"target:  {found.curl_target}")
    if done.cause is not None and done.cause.step is not None:
        step = done.cause.step
        replays = _count(done.cause.replays, "replay")
        say(f"rows:    first apart after step {step.n}, {step.name} (bisected in {replays})")
    say(f"session: {done.session_file}")


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
