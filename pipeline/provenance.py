"""Where a result comes from: the state of the repository, the lock file, and the person."""

import getpass
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipeline.files import hash_file

UNKNOWN = "unknown"
# These are written by the stages themselves, so a change in them says nothing about where a run comes from.
_WRITTEN_BY_STAGES = ("dvc.lock", "metrics.json", "models")


@dataclass(frozen=True)
class Provenance:
    """The state of the project at one moment.

    Attributes:
        git_commit: Full hash of the commit that is checked out, or "unknown" outside a git repository.
        git_dirty: Whether code, labels or settings differ from that commit.
        lock_sha256: Hash of dvc.lock, or "unknown" where there is none.
        user: The git user name, or the name of the account.
    """

    git_commit: str
    git_dirty: bool
    lock_sha256: str
    user: str


def read_provenance(project: Path) -> Provenance:
    """Describe a project folder.

    Args:
        project: The folder with dvc.yaml.

    Returns:
        Its state; "unknown" for what cannot be told.
    """
    excluded = [f":(exclude){name}" for name in _WRITTEN_BY_STAGES]
    lock = project / "dvc.lock"
    return Provenance(
        git_commit=_git(project, "rev-parse", "HEAD") or UNKNOWN,
        git_dirty=bool(_git(project, "status", "--porcelain", "--", ".", *excluded)),
        lock_sha256=hash_file(lock) if lock.is_file() else UNKNOWN,
        user=_user_name(project),
    )


def _user_name(project: Path) -> str:
    """Name the person at work."""
    name = _git(project, "config", "user.name")
    if name:
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return UNKNOWN


def _git(project: Path, *arguments: str) -> str:
    """Run git; an empty string where there is no git, or no repository."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=project, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
