"""`python -m boto_matrix schema`: print the JSON schema of the results of a run, docs/results.schema.json."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from boto_matrix.results.model import FORMAT, RunResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes: nothing."""


def main(_: argparse.Namespace, __: Sequence[str]) -> int:
    """Print the schema; returns 0."""
    sys.stdout.write(results_schema())
    return 0


def results_schema() -> str:
    """Give the text of docs/results.schema.json."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **RunResult.model_json_schema()}
    schema["properties"]["format"]["const"] = FORMAT
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
