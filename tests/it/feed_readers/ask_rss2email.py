"""The mails that rss2email makes of each feed: ask_rss2email.py FOLDER URL…, one JSON document for all."""

import calendar
import email.policy
import email.utils
import glob
import json
import os
import re
import subprocess
import sys

CONFIG = """[DEFAULT]
from = reader@example.org
to = reader@example.org
email-protocol = maildir
maildir-path = {folder}/mail
maildir-mailbox = all
html-mail = True
date-header = True
name-format = {{author}}
verbose = error

[feed.only]
url = {url}
"""


def entry(path):
    with open(path, "rb") as file:
        mail = email.message_from_binary_file(file, policy=email.policy.default)
    content = mail.get_content()
    recording = re.search(r'Enclosure: <a href="([^"]*)"', content)
    return {
        "id": mail["X-RSS-ID"],
        "title": str(mail["Subject"]),
        "link": mail["X-RSS-URL"],
        "author": mail["From"].addresses[0].display_name,
        "published": calendar.timegm(email.utils.parsedate(mail["Date"])),
        "content": content,
        "recording": recording.group(1) if recording else "",
    }


def feed(folder, url):
    for name in ["cur", "new", "tmp"]:
        os.makedirs(f"{folder}/mail/all/{name}")
    with open(f"{folder}/config", "w", encoding="utf-8") as file:
        file.write(CONFIG.format(folder=folder, url=url))
    command = [sys.executable, "-m", "rss2email.main", "-c", "config", "-d", "data.json", "run"]
    # The second time for what it makes of an answer without a feed.
    for _ in range(2):
        subprocess.run(command, cwd=folder, env={**os.environ, "HOME": folder}, check=True)
    entries = [entry(path) for path in glob.glob(f"{folder}/mail/all/new/*")]
    return {"entries": sorted(entries, key=lambda it: it["published"], reverse=True)}


folder, *urls = sys.argv[1:]
json.dump([feed(f"{folder}/rss2email{number}", url) for number, url in enumerate(urls)], sys.stdout)
