"""REPORT lines in Lambda's own form."""

from datetime import UTC, datetime

from harness.staging.report_lines import InvocationReport, InvocationStatus, render_report_lines


def _report(**changes: object) -> InvocationReport:
    values: dict[str, object] = {
        "request_id": "8f507cfc-xmpl-4697-b07a-ac58fc914c95",
        "function_key": "f",
        "environment_id": "e",
        "started_at": datetime(2026, 1, 1, tzinfo=UTC),
        "init_ms": 130.9,
        "duration_ms": 15.74,
        "memory_mb": 128,
        "max_memory_mb": 56,
    }
    return InvocationReport(**(values | changes))  # type: ignore[arg-type]


def test_cold_invocations_are_billed_for_init_and_duration_rounded_up_once() -> None:
    report = _report()

    assert report.is_cold
    assert report.billed_ms == 147
    assert render_report_lines(report) == (
        "END RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\n"
        "REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\tDuration: 15.74 ms\tBilled Duration: 147 ms\t"
        "Memory Size: 128 MB\tMax Memory Used: 56 MB\tInit Duration: 130.90 ms\t\n"
    )


def test_warm_invocations_have_no_init() -> None:
    report = _report(init_ms=None)

    assert not report.is_cold
    assert report.billed_ms == 16
    assert "Init Duration" not in render_report_lines(report)


def test_failures_say_status_and_type() -> None:
    lines = render_report_lines(_report(status=InvocationStatus.TIMEOUT, error_type="Sandbox.Timedout"))

    assert "\tStatus: timeout\tError Type: Sandbox.Timedout\t" in lines
