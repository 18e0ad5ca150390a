"""What the library `reader` keeps of each feed: ask_reader.py FOLDER URL…, one JSON document for all. It knows JSON Feed."""

import calendar
import json
import sys

from reader import make_reader


def entry(it):
    content = it.get_content(prefer_summary=False)
    return {
        "id": it.id,
        "title": it.title,
        "link": it.link,
        "author": it.author,
        "published": calendar.timegm(it.published.timetuple()),
        "content": content.value if content else None,
        "recording": it.enclosures[0].href if it.enclosures else "",
    }


def feed(reader, url):
    entries = reader.get_entries(feed=url)
    entries = sorted(map(entry, entries), key=lambda it: it["published"], reverse=True)
    return {"title": reader.get_feed(url).title, "entries": entries}


def ask(folder, urls):
    reader = make_reader(f"{folder}/reader.db")
    for url in urls:
        reader.add_feed(url)
    for _ in range(2):
        for result in reader.update_feeds_iter():
            if isinstance(result.value, Exception):
                raise result.value
    return [feed(reader, url) for url in urls]


json.dump(ask(sys.argv[1], sys.argv[2:]), sys.stdout)
