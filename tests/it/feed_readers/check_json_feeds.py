"""What the schema of JSON Feed has against each file: check_json_feeds.py SCHEMA FILE…, a line for each fault."""

import json
import sys

from jsonschema import Draft7Validator, FormatChecker


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


schema, *files = sys.argv[1:]
judge = Draft7Validator(load(schema), format_checker=FormatChecker())
for path in files:
    for fault in judge.iter_errors(load(path)):
        print(path, fault.json_path, fault.message)
