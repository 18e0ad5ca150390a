"""What feedparser, on which many readers are built, makes of each feed: one JSON document for all files."""

import calendar
import json
import sys

import feedparser


def entry(it):
    content = it.content[0].value if "content" in it else None
    return {
        "id": it.id,
        "title": it.title,
        "link": it.link,
        "author": it.get("author"),
        "tags": [tag.term for tag in it.get("tags", [])],
        "published": calendar.timegm(it.published_parsed),
        "content": content,
    }


def feed(path):
    read = feedparser.parse(path, sanitize_html=False, resolve_relative_uris=False)
    fault = repr(read.bozo_exception) if read.bozo else None
    return {"fault": fault, "title": read.feed.title, "entries": [entry(it) for it in read.entries]}


json.dump([feed(path) for path in sys.argv[1:]], sys.stdout)
