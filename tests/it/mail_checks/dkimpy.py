"""Verifies every signature of some mails with dkimpy: dkimpy.py ZONE.json MAIL...

ZONE.json maps names to TXT records; no other DNS is asked. Prints a line for each signature: MAIL ALGORITHM RESULT.
"""

import json
import re
import sys

import dkim

with open(sys.argv[1], encoding="utf-8") as zone:
    records = json.load(zone)


def look_up(name, timeout=5):
    record = records.get(name.decode().rstrip("."))
    return record.encode() if record else None


for path in sys.argv[2:]:
    with open(path, "rb") as mail:
        message = mail.read()
    checked = dkim.DKIM(message)
    signatures = [value for name, value in checked.headers if name.lower() == b"dkim-signature"]
    for index, signature in enumerate(signatures):
        algorithm = re.search(rb"\ba=([a-z0-9-]+)", signature).group(1).decode()
        try:
            result = "pass" if checked.verify(idx=index, dnsfunc=look_up) else "fail"
        except dkim.DKIMException as error:
            result = f"error: {error}"
        print(path, algorithm, result)
