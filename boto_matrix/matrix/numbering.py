"""How boto3 and botocore releases are numbered together.

What is written here is history, read from the metadata of the first and the newest boto3 of each minor; with
it a pair can be judged without asking an index. What a release really asks for is in its own metadata
(`boto_matrix.releases.index`).
"""

from __future__ import annotations

from packaging.version import Version

LATEST = "latest"
"""What stands in place of a number for the newest release that supports a Python."""

OLDEST_BOTO3 = Version("1.17.0")
OLDEST_BOTOCORE = Version("1.20.0")

# boto3 1.29.7 was followed by 1.33.0, so that it and botocore have had equal numbers from then on.
_LAST_OFFSET_MINOR = 29
_FIRST_EQUAL_MINOR = 33
_OFFSET = 3

# The one release that asks for the minor before its own, botocore>=1.41.6,<1.42.0: there is no botocore 1.42.0.
_BEHIND = Version("1.42.0")
_BEFORE_BEHIND = Version("1.41.6")


def botocore_series(boto3: Version) -> tuple[int, int]:
    """Give the major and minor of the botocore that a boto3 release works with.

    Args:
        boto3: a release, 1.17.0 or later. For 2.0 and later, equal numbers are a guess.

    Raises:
        ValueError: there never was such a boto3, or it is older than the matrix goes.

    """
    if boto3 < OLDEST_BOTO3:
        raise ValueError(f"boto3 {boto3} is older than {OLDEST_BOTO3}, the first that the matrix covers")
    if boto3 == _BEHIND:
        return (1, boto3.minor - 1)
    if boto3.major > 1 or boto3.minor >= _FIRST_EQUAL_MINOR:
        return (boto3.major, boto3.minor)
    if boto3.minor > _LAST_OFFSET_MINOR:
        raise ValueError(f"there is no boto3 {boto3}: 1.29 was followed by 1.33")
    return (1, boto3.minor + _OFFSET)


def oldest_botocore(boto3: Version) -> Version:
    """Give the oldest botocore that a boto3 release works with: the one of its own day, which has its patch number.

    So say 45 releases of boto3, from 1.17.0 to 1.44.8, whose metadata was read for it in November 2026.

    Raises:
        ValueError: as `botocore_series` does.

    """
    major, minor = botocore_series(boto3)
    return _BEFORE_BEHIND if boto3 == _BEHIND else Version(f"{major}.{minor}.{boto3.micro}")


def check_pair(boto3: str, botocore: str) -> None:
    """Refuse a pair of exact releases that the numbering alone shows to be impossible.

    Versions from 2.0 on are let through, for nothing is known of them.

    Args:
        boto3: an exact version, ``1.26.165``.
        botocore: an exact version, ``1.29.165``.

    Raises:
        ValueError: says what this boto3 needs.

    """
    if Version(boto3).major > 1:
        return
    major, minor = botocore_series(Version(boto3))
    given = Version(botocore)
    if (given.major, given.minor) != (major, minor):
        raise ValueError(f"boto3 {boto3} needs botocore {major}.{minor}, not {botocore}")
    if given < (oldest := oldest_botocore(Version(boto3))):
        raise ValueError(f"boto3 {boto3} needs botocore {oldest} or a later {major}.{minor}, not {botocore}")
