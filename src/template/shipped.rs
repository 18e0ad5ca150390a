//! The templates in the binary. A project overrides one by a file of the same path in its `templates/` folder.

macro_rules! shipped {
    ($($name:literal,)+) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),+]
    };
}

/// Name and source of each shipped template, as `init` writes them.
pub const SHIPPED: &[(&str, &str)] = shipped![
    "crosspost/default.json",
    "mail/confirm/body.html",
    "mail/confirm/body.txt",
    "mail/confirm/subject.txt",
    "mail/correction/body.html",
    "mail/correction/body.txt",
    "mail/correction/subject.txt",
    "mail/digest/body.html",
    "mail/digest/body.txt",
    "mail/digest/subject.txt",
    "mail/footer.html",
    "mail/footer.txt",
    "mail/layout.html",
    "mail/single/body.html",
    "mail/single/body.txt",
    "mail/single/subject.txt",
    "page/confirm.html",
    "page/confirmed.html",
    "page/embed-form.html",
    "page/error.html",
    "page/feed.html",
    "page/feeds.html",
    "page/follow.html",
    "page/index.html",
    "page/layout.html",
    "page/outbox-call.html",
    "page/outbox-mail.html",
    "page/outbox.html",
    "page/post.html",
    "page/posts.html",
    "page/row.html",
    "page/status.html",
    "page/style-archive.html",
    "page/style-prose.html",
    "page/subscribe-done.html",
    "page/subscribe-embed.html",
    "page/subscribe-fields.html",
    "page/subscribe-script.html",
    "page/subscribe.html",
    "page/unsubscribe.html",
    "page/unsubscribed.html",
];
