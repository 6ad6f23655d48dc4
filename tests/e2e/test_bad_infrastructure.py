"""Infrastructure and packages that cannot be used: the command names file, line and fix, and ends with 2."""

import shutil
from pathlib import Path
from textwrap import dedent

import pytest

import harness.cli.build as build_command
from harness.cli import run
from harness.domain.errors import ExitCode
from tests.builders.lambda_cloud import lock_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns(".terraform")
    return Path(shutil.copytree(ROOT / "terraform", tmp_path / "terraform", ignore=ignored))


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (("s3.tf", "  buckets = {", "  buckets = = {"), ("not valid Terraform", "s3.tf:4", "Correct that line")),
        (
            (
                "api_gateway.tf",
                "for route in function.routes : route => key",
                'for route in function.routes : route => "nosuch"',
            ),
            ("leads to no known function", "api_gateway.tf:", "functions that exist: data, ingest"),
        ),
        (
            ("lambda.tf", 'layers               = ["dependencies"]', 'layers               = ["pandas"]'),
            ("names a layer that does not exist", "lambda.tf:", "local.layers"),
        ),
    ],
    ids=["syntax error", "unknown function in a route", "missing layer"],
)
def test_terraform_that_cannot_be_used_names_file_line_and_fix(
    copy: Path, capfd: pytest.CaptureFixture[str], edit: tuple[str, str, str], expected: tuple[str, str, str]
) -> None:
    (file, old, new), (says, place, fix) = edit, expected
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new), encoding="utf-8")

    assert run(["infra", "check", "--terraform", str(copy)]) == ExitCode.USAGE

    said = capfd.readouterr().err
    assert says in said
    line = next(line for line in said.splitlines() if line.strip().startswith("at:"))
    assert place in line
    assert line.rsplit(":", 1)[1].isdigit(), "the line is named"
    assert fix in said


@pytest.fixture
def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one function, which `parakeet build` takes for its own."""
    (tmp_path / "target" / "functions" / "orders").mkdir(parents=True)
    (tmp_path / "requirements").mkdir()
    lock = lock_of("awslambdaric", "simplejson", "snapshot-restore-py", "typing-extensions")
    (tmp_path / "requirements" / "lambda.txt").write_text(lock, encoding="utf-8")
    monkeypatch.setattr(build_command, "project_root", lambda: tmp_path)
    return tmp_path / "target"


def _write_handler(product: Path, source: str) -> None:
    (product / "functions" / "orders" / "handler.py").write_text(dedent(source), encoding="utf-8")


@pytest.mark.parametrize(
    ("source", "says", "line"),
    [
        ("import typing_extensions\n\nimport no_such_package\n", "No module named 'no_such_package'", 3),
        ("def handler(event, context)\n    return 1\n", "SyntaxError", 1),
        ("import os\nLIMIT = int(os.environ['LIMIT'])\n", "KeyError: 'LIMIT'", 2),
        ("def handle(event, context):\n    return 1\n", "has no attribute 'handler'", 1),
    ],
    ids=["missing package", "syntax error", "missing variable", "no handler"],
)
def test_a_handler_that_cannot_be_imported_names_file_line_and_fix(
    product: Path, capfd: pytest.CaptureFixture[str], source: str, says: str, line: int
) -> None:
    _write_handler(product, source)

    assert run(["build", "--out", str(product.parent / "out")]) == ExitCode.USAGE

    said = capfd.readouterr().err
    assert "the handler of orders cannot be imported" in said
    assert says in said
    assert f"target/functions/orders/handler.py:{line}\n" in said
    assert "next:" in said
    assert not (product.parent / "out").exists()


def test_a_corrected_handler_is_built(product: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _write_handler(product, "import no_such_package\n")
    assert run(["build", "--out", str(product.parent / "out")]) == ExitCode.USAGE
    _write_handler(product, "def handler(event, context):\n    return 1\n")
    assert run(["build", "--out", str(product.parent / "out")]) == ExitCode.GO
    assert (product.parent / "out" / "functions" / "orders.zip").exists()


def test_a_package_over_the_limit_names_what_is_biggest(product: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _write_handler(product, "def handler(event, context):\n    return 1\n")
    with (product / "prices.bin").open("wb") as file:
        file.truncate(262_144_001)

    assert run(["build", "--out", str(product.parent / "out")]) == ExitCode.USAGE

    said = capfd.readouterr().err
    assert "Lambda takes 262,144,000" in said
    assert "biggest packages: target" in said
    assert "orders" in said
    assert "requirements/lambda*.in" in said
