"""What a replay is made from, so that a run is gone on with from the same alone."""

import hashlib
import json
from contextlib import closing
from pathlib import Path

from harness.adapters.evidence_files import load_manifest
from harness.adapters.journal import Journal
from harness.adapters.session_files import SessionFiles
from harness.domain.errors import ConfigurationError, EvidenceError
from harness.domain.phase import REPLAY_PROFILE
from harness.wiring.replay_request import ReplayRequest


def replay_inputs(request: ReplayRequest, sessions: SessionFiles) -> str:
    """Addresses, the content of the session files in order, and whether rows are compared; holds no secret."""
    inputs = {
        "legacy_url": request.legacy.url,
        "target_url": request.target.url,
        "sessions": _sha256(sessions.paths),
        "compares_state": request.legacy_db is not None,
    }
    return json.dumps(inputs, sort_keys=True)


def is_replayed(out: Path, inputs: str) -> bool:
    """Whether the run there is a replay of these inputs that came to its end, and is only to be judged.

    Raises:
        EvidenceError: it is another kind of run, or was begun with other inputs.
    """
    manifest = load_manifest(out)
    if manifest.profile != REPLAY_PROFILE:
        hint = "Give the directory of a replay; `parakeet verify --resume` goes on with a verification."
        raise EvidenceError(f"the run there is no replay but {manifest.profile}", where=str(out), hint=hint)
    if manifest.finished_at is None:
        return False
    with closing(Journal(out)) as journal:
        journal.bind_inputs(inputs)
    return True


def _sha256(paths: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            hint = "Leave the session files alone until they are replayed."
            raise ConfigurationError(f"cannot read: {error.strerror}", where=str(path), hint=hint) from error
    return digest.hexdigest()
