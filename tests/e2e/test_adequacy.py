"""`parakeet adequacy` on a small application: what sessions notice, what they do not, and how it ends."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.cli import progress, run
from harness.domain.errors import ExitCode

_SHOP = Path(__file__).resolve().parents[1] / "builders" / "small_shop"
_REASON = "Only the clock is read there, which is noise."


class Shop:
    """A copy of the application with a configuration and a session of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.out = place / "out"
        shutil.copytree(_SHOP, place / "small_shop", ignore=shutil.ignore_patterns("__pycache__"))
        self.exempt('[[out_of_scope]]\nfiles = ["small_shop/app.py"]\nreason = "The protocol is not what is tried."\n')

    def exempt(self, text: str) -> None:
        (self.place / "exemptions.toml").write_text(text, encoding="utf-8")

    def ask(self, *quantities: int) -> None:
        steps = [{"name": f"{n}", "request": {"method": "GET", "url": f"/order?quantity={n}"}} for n in quantities]
        session = {"format_version": 1, "id": "shop/order", "group": "shop", "steps": steps}
        (self.place / "order.json").write_text(json.dumps(session), encoding="utf-8")

    def run(self, *more: str, app: str = "small_shop.app:create_app") -> int:
        return run([*self.command(app), *more])

    def command(self, app: str = "small_shop.app:create_app") -> list[str]:
        lines = [
            "[adequacy]", f'source = "{self.place / "small_shop"}"', f'app = "{app}"',
            f'exemptions = "{self.place / "exemptions.toml"}"',
        ]  # fmt: skip
        config = self.place / "parakeet.toml"
        config.write_text("\n".join(lines), encoding="utf-8")
        session = str(self.place / "order.json")
        return ["adequacy", "--config", str(config), "--sessions", session, "--out", str(self.out), "--jobs", "1"]

    def fates(self) -> dict[str, str]:
        """Fates by line and operator."""
        found: dict[str, Any] = json.loads((self.out / "adequacy.json").read_text(encoding="utf-8"))
        return {each["id"].removeprefix("small_shop/prices.py:"): each["fate"] for each in found["mutants"]}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_what_the_sessions_let_through_is_named_with_what_to_add(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_BETWEEN_LINES_S", 0.0)
    shop.ask(1, 12)
    assert shop.run("--limit", "0") == ExitCode.NO_GO
    fates = shop.fates()
    assert fates["8:change_arithmetic"] == "killed"
    assert fates["11:change_number"] == "killed"
    # Nobody orders exactly ten, so whether ten pieces are delivered free is not known.
    assert fates["9:flip_comparison"] == "survived"
    assert fates["16:change_arithmetic"] == "not exercised"
    shown, told = capsys.readouterr()
    assert "… trying the faults\n" in told
    assert [line for line in told.splitlines() if line.startswith("trying faults: ")] == [
        f"trying faults: {done} of {len(fates)} faults" for done in range(1, len(fates) + 1)
    ]
    assert "survived: small_shop/prices.py:9:flip_comparison" in shown
    assert "-    if quantity >= FREE_FROM:\n+    if quantity > FREE_FROM:" in shown
    assert "add a step to GET /order: send the value exactly at the boundary" in shown
    assert "not adequate" in shown


def test_a_step_at_the_boundary_notices_it(shop: Shop) -> None:
    shop.ask(1, 9, 10, 12)
    shop.exempt(
        '[[out_of_scope]]\nfiles = ["small_shop/app.py"]\nreason = "The protocol is not what is tried."\n'
        '[[out_of_scope]]\nfiles = ["small_shop/prices.py"]\nfunctions = ["unused"]\nreason = "No route leads there."\n'
    )
    assert shop.run("--limit", "0", "--threshold", "1") == ExitCode.GO
    assert set(shop.fates().values()) == {"killed"}


def test_the_clock_of_an_answer_is_noise_and_its_zone_is_not(shop: Shop) -> None:
    shop.ask(1)
    shop.exempt('[[out_of_scope]]\nfiles = ["small_shop/prices.py"]\nreason = "Only the clock is tried here."\n')
    shop.run("--limit", "0")
    found = json.loads((shop.out / "adequacy.json").read_text(encoding="utf-8"))
    fates = {each["operator"]: each for each in found["mutants"]}
    assert fates["change_zone"]["fate"] == "killed"
    assert "/at" in fates["change_zone"]["seen"]
    assert found["unsteady_sessions"] == []


def test_the_source_itself_is_never_touched(shop: Shop) -> None:
    before = {path: path.read_bytes() for path in (shop.place / "small_shop").rglob("*.py")}
    shop.ask(1)
    shop.run("--limit", "5")
    assert {path: path.read_bytes() for path in (shop.place / "small_shop").rglob("*.py")} == before
    assert not list((shop.place / "small_shop").rglob("__pycache__"))


def test_an_equivalent_that_a_session_notices_is_called_out(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.ask(1)
    shop.exempt(
        '[[equivalent]]\nfile = "small_shop/prices.py"\ncode = "cost = quantity * price"\n'
        f'operators = ["change_arithmetic"]\nreason = "{_REASON}"\n'
    )
    shop.run("--limit", "0")
    assert shop.fates()["8:change_arithmetic"] == "killed"
    assert "noticed all the same: small_shop/prices.py:8:change_arithmetic" in capsys.readouterr().err


def test_a_stale_exemption_is_an_error(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.ask(1)
    shop.exempt(f'[[out_of_scope]]\nfiles = ["small_shop/gone.py"]\nreason = "{_REASON}"\n')
    assert shop.run() == ExitCode.USAGE
    assert "names no mutant" in capsys.readouterr().err


def test_faults_are_planted_in_the_named_files_alone(shop: Shop) -> None:
    shop.ask(1, 9, 10)
    assert shop.run("--files", "small_shop/nothing.py") == ExitCode.USAGE
    shop.run("--files", "small_shop/pri*.py", "--limit", "2")
    found: dict[str, Any] = json.loads((shop.out / "adequacy.json").read_text(encoding="utf-8"))
    assert {each["id"].partition(":")[0] for each in found["mutants"]} == {"small_shop/prices.py"}


def test_nothing_to_plant_is_inconclusive(shop: Shop) -> None:
    shop.ask(1)
    shop.exempt(f'[[out_of_scope]]\nfiles = ["small_shop/*"]\nreason = "{_REASON}"\n')
    assert shop.run() == ExitCode.INCONCLUSIVE


@pytest.mark.parametrize(
    ("more", "code"),
    [(("--source", "no/such/directory"), ExitCode.USAGE), (("--sessions", "no/such.json"), ExitCode.USAGE),
     (("--jobs", "0"), ExitCode.USAGE), (("--threshold", "2"), ExitCode.USAGE)],
)  # fmt: skip
def test_what_cannot_be_used_is_a_usage_error(shop: Shop, more: tuple[str, ...], code: ExitCode) -> None:
    shop.ask(1)
    assert shop.run(*more) == code
    assert not (shop.out / "adequacy.json").exists()


def test_an_application_that_does_not_start_is_unavailable(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.ask(1)
    assert shop.run(app="small_shop.app:no_such_factory") == ExitCode.INCONCLUSIVE
    assert "no_such_factory" in capsys.readouterr().err


def test_an_interrupt_leaves_no_process_behind(shop: Shop) -> None:
    shop.ask(1)
    session = json.loads((shop.place / "order.json").read_text(encoding="utf-8"))
    session["steps"][0]["sleep"] = 60
    (shop.place / "order.json").write_text(json.dumps(session), encoding="utf-8")
    program = [sys.executable, "-c", "from harness.cli import main; main()", *shop.command()]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as started:
        family = _wait_for_the_application(psutil.Process(started.pid))
        started.send_signal(signal.SIGINT)
        _, told = started.communicate(timeout=30)
    assert started.returncode == 130, told
    assert "everything that was started has been stopped" in told
    gone, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert gone


def _wait_for_the_application(judge: psutil.Process) -> list[psutil.Process]:
    """All processes below ours once the runner has forked the application."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        family = judge.children(recursive=True)
        runners = [process for process in family if _is_runner(process)]
        if len(runners) > 1:
            return family
        time.sleep(0.05)
    raise AssertionError("the application was not started in time")


def _is_runner(process: psutil.Process) -> bool:
    try:
        return any("asgi_runner" in argument for argument in process.cmdline())
    except psutil.Error:
        return False
