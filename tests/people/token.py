#!/usr/bin/env python3
"""The token in the links of a subscriber's mails: token.py DATABASE ADDRESS. As `Keyring::unsubscribe_token` makes it."""
import base64, hashlib, hmac, sqlite3, sys

db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
(key,) = db.execute("SELECT secret_key FROM instance").fetchone()
(subscription,) = db.execute(
    "SELECT s.id FROM subscriptions s JOIN subscribers p ON p.id = s.subscriber_id WHERE p.address_key = ?",
    (sys.argv[2].lower(),),
).fetchone()
number = subscription.to_bytes(8, "big")
tag = hmac.new(key, b"unsubscribe\0" + number, hashlib.sha256).digest()[:24]
print(base64.urlsafe_b64encode(number + tag).decode().rstrip("="))
