"""A job's standing as the contract words it."""

from datetime import datetime, timedelta

from target.database.jobs import JobRow
from target.jobs.job import JobState

LOST_AFTER = timedelta(hours=1)
"""More than a queue's deliveries of one message take together: after that nobody is at work on it any more."""

_LOST = "The run was interrupted, please start it again"


def status_text(job: JobRow, now: datetime) -> str:
    """Return running, completed or `failed: …`; a job counts as running from its submission on."""
    if job.state == JobState.COMPLETED:
        return "completed"
    if job.state == JobState.FAILED:
        return f"failed: {job.error}"
    last_sign_of_life = job.started_at or job.submitted_at
    return f"failed: {_LOST}" if now - last_sign_of_life > LOST_AFTER else "running"
