"""`python -m tests.aio`: the tests of the asynchronous seam on several aiobotocores, each in an environment of its own.

Every aiobotocore demands a botocore of its own, so that none can be in the environment of the other tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import uv

from boto_matrix.machine.interpreters import Interpreters, how_to_get
from boto_matrix.releases.index_settings import for_uv

ROOT = Path(__file__).parents[2]
RUNS = (
    ("3.8", "aiobotocore==2.4.*"),
    ("3.9", "aiobotocore==2.13.*"),
    ("3.11", "aiobotocore==2.19.*"),
    ("3.13", "aiobotocore"),
)
"""The oldest, the last with another way to aiohttp's session, one that httpx came after, and the newest."""
WITH = ("boto3", "s3fs", "httpx", "pytest", "pytest-socket", "hypothesis", "tomli; python_version < '3.11'")


def main(arguments: list[str]) -> int:
    interpreters, code = Interpreters(), 0
    for python, aiobotocore in RUNS:
        found = interpreters.find(python)
        print(f"{aiobotocore} on Python {python}", flush=True)
        if found is None:
            print(f"not run: there is no Python {python}; {how_to_get(python)}")
            code = code or 1  # not all of it ran
            continue
        needs = [option for need in (aiobotocore, *WITH) for option in ("--with", need)]
        alone = ["--quiet", "--no-project", "--isolated", "--python", str(found.path)]
        environment = [uv.find_uv_bin(), "run", *alone, *needs]
        tests = ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *(arguments or ["tests/aio"])]
        code = subprocess.call([*environment, *tests], cwd=ROOT, env={**os.environ, **for_uv()}) or code
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
