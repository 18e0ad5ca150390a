//! What `check` has to say about posts: every code with what it means and how to mend it.

/// One code of a finding about posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lint {
    pub code: &'static str,
    /// What it means: a sentence without a full stop.
    pub meaning: &'static str,
    /// How to mend it: a sentence without a full stop.
    pub mend: &'static str,
}

const fn lint(code: &'static str, meaning: &'static str, mend: &'static str) -> Lint {
    Lint { code, meaning, mend }
}

/// What only `check` looks for: the post goes out all the same.
pub const LINTS: [Lint; 12] = [
    lint(
        "post-link-broken",
        "a link leads to a file, a post or a heading that is not there",
        "correct the address; links may be relative to the file or to the post's address",
    ),
    lint(
        "post-image-missing",
        "an image is not where the post looks for it",
        "put the file there, or correct its path",
    ),
    lint(
        "post-alt-missing",
        "an image has no text for those who don't see it, and many mail programs show no images at first",
        "write `![what is to be seen](image.jpg)`; for mere decoration `<img src=\"…\" alt=\"\">`",
    ),
    lint(
        "post-description-missing",
        "the post does not say what it is about; feeds, digests and previews show its beginning instead",
        "add `description: …` to the front matter, or put `<!--more-->` where its beginning ends",
    ),
    lint(
        "post-title-long",
        "the title is longer than mail programs and search engines show",
        "keep it to 70 characters, the important words first",
    ),
    lint(
        "post-title-duplicate",
        "two posts of a folder have the same title in the same language",
        "give each a title of its own, or nobody can tell them apart in a list of mails",
    ),
    lint(
        "post-slug-duplicate",
        "two posts of a folder have the same slug in the same language",
        "write another `slug`; where posts are called by their slug, only the newest is meant",
    ),
    lint(
        "post-todo",
        "a note to yourself (TK, TODO, FIXME, XXX) is left in the text",
        "do it, or take it out; words in code are not meant",
    ),
    lint(
        "post-future",
        "the date is in the future and no release names the post: it goes out by itself on that day",
        "nothing, if that is meant; a release in `config/releases.toml` says so for good",
    ),
    lint(
        "post-mail-large",
        "the mail is larger than Gmail shows, so readers get a part of the post and a link",
        "shorten the post, split it, or move large tables and code to a page of their own",
    ),
    lint(
        "post-key-unknown",
        "a key in the front matter is unknown and looks like a slip of the pen",
        "correct it; keys of your own are fine as long as they look like no other",
    ),
    lint(
        "ignore-file",
        "a line of `.postriderignore` is no pattern, or the file cannot be read",
        "write one pattern a line, as in `.gitignore`",
    ),
];

/// What is found whenever a post is read. Where it keeps the post from going out, it cannot be silenced.
pub const FINDINGS: [Lint; 53] = [
    lint("post-no-title", "the post has no title", "add `title: …`, or begin with a heading `# …`"),
    lint(
        "post-no-date",
        "the post has no date",
        "add `date: 2024-01-15`, or put it in front of the file name",
    ),
    lint(
        "post-title",
        "the title is a list or a map",
        "write it on one line, in quotes if it has `: `",
    ),
    lint("post-title-too-long", "the title is too long for feeds and mails", "shorten it"),
    lint(
        "post-date",
        "the date cannot be read, or could be two days",
        "write it as 2024-01-15 or 2024-01-15T10:00:00+01:00",
    ),
    lint(
        "post-other-date",
        "a date beside that of publication cannot be read",
        "write it as 2024-01-15",
    ),
    lint(
        "post-date-placeholder",
        "the date is left to the build of the site, which Postrider does not run",
        "write the day itself",
    ),
    lint(
        "post-slug",
        "the file name has no letters or digits for an address",
        "add `slug: some-words`",
    ),
    lint(
        "post-link-target",
        "nobody knows the address of a post that the text names, and if it has one in the text, that is a guess",
        "write the post's path on the site instead of its name",
    ),
    lint("post-link", "the post's own address is none", "write a path such as `/posts/hello/`"),
    lint(
        "post-canonical",
        "the canonical address is none",
        "write it out: https://example.com/the/post",
    ),
    lint(
        "post-id",
        "the id is none that feeds can have",
        "write a UUID, a URL, or `tag:…` or `urn:…`",
    ),
    lint(
        "post-image",
        "the image of the post has no address",
        "write its path on the site, or its URL",
    ),
    lint("post-language", "the language is no tag", "write `en`, `pt-BR` or the like"),
    lint(
        "post-template-code",
        "code for a site generator is in the text; readers see it as it stands",
        "write Markdown or HTML instead",
    ),
    lint("post-encoding", "the file is not UTF-8", "save it as UTF-8"),
    lint(
        "post-nul",
        "the file contains a NUL byte",
        "delete it, or move the file if it is not text",
    ),
    lint("post-html", "the HTML in the post cannot be read", "check its tags"),
    lint(
        "post-too-large",
        "the post is too large",
        "split it, or move data and images into files of their own",
    ),
    lint("post-too-complex", "the post is nested too deep", "flatten it"),
    lint("too-large", "the file is too large to be a post", "move images and data out of it"),
    lint(
        "unreadable",
        "a file or folder cannot be read",
        "see to its permissions, or correct `path` under `[[posts]]`",
    ),
    lint(
        "symlink",
        "a symbolic link is not followed",
        "copy the file, or add its folder as another `[[posts]]`",
    ),
    lint("not-a-file", "this is no regular file", "move it out of the folder"),
    lint(
        "folder-named-like-post",
        "a folder is named like a post",
        "rename it, if it was meant to be one post",
    ),
    lint(
        "unknown-post",
        "a release names a post that is not there",
        "correct the name, or write the post",
    ),
    lint(
        "front-matter-unclosed",
        "the front matter has no end",
        "close it with the line that it begins with",
    ),
    lint(
        "front-matter-twice",
        "a second block of front matter follows the first",
        "move its lines into the first, and delete the fences between",
    ),
    lint(
        "front-matter-too-large",
        "the front matter is too long",
        "keep data in a file of its own",
    ),
    lint(
        "front-matter-language",
        "the front matter is code that would have to be run",
        "write it in YAML (`---`), TOML (`+++`) or JSON (`---json`)",
    ),
    lint(
        "front-matter-yaml",
        "the front matter is no YAML",
        "put values that contain `: ` in quotes, and indent with spaces",
    ),
    lint(
        "front-matter-toml",
        "the front matter is no TOML",
        "write `key = \"value\"` lines, text in quotes",
    ),
    lint(
        "front-matter-json",
        "the front matter is no JSON",
        "put keys and text in double quotes, and commas between entries, none after the last",
    ),
    lint("front-matter-duplicate-key", "a key is there twice", "keep the one that you mean"),
    lint(
        "post-wish",
        "what the post says of its mail or its announcements is not understood",
        "see \"The author's control panel\" in the manual for the keys and what they may say",
    ),
    lint(
        "post-destination",
        "the post names a destination that the configuration does not have",
        "correct its name, or configure it",
    ),
    lint(
        "post-channel",
        "a part for mail or for the site alone does not end where it begins, or is inside another",
        "end it with its own mark in the same list item, quote or other block, before the next begins",
    ),
    lint(
        "post-mdx-component",
        "a component of the site cannot be shown in feeds and mails, and is left out",
        "write what readers should see there, or keep the part for the site alone",
    ),
    lint(
        "post-mdx-expression",
        "code in braces is for the site to run, and is left out",
        "write the words themselves, or put it in a code span",
    ),
    lint(
        "same-as-another",
        "two posts have the same address or id",
        "give one of them another slug or id",
    ),
    lint(
        "git",
        "git cannot be asked for dates",
        "see that git is installed and the folder is in a repository, or leave `git` out of `dates_from`",
    ),
    lint(
        "ghost-export",
        "the file is no export of Ghost that can be read",
        "export it again: in Ghost, Settings, Import/Export, Export content",
    ),
    lint(
        "ghost-no-text",
        "the post of a Ghost export has no text",
        "write one, or delete the file",
    ),
    lint(
        "ghost-title",
        "the title of a post of a Ghost export is too long, and is cut",
        "write a shorter one",
    ),
    lint(
        "post-id-late",
        "the front matter has an id, and readers know the post by another already",
        "write the id that they know, or none",
    ),
    lint(
        "too-many-facts",
        "more files speak for many posts than are read in one folder",
        "give each of several folders inside it a `[[posts]]` section of its own",
    ),
    lint(
        "feed-held",
        "a change of the feeds is held: it would mark many posts as new that are not",
        "mend what changed the ids of posts, or let it through with `postrider feeds release`",
    ),
    lint(
        "feed-marked-new",
        "a change of the feeds marks many posts as new that are not",
        "see what changed the ids of posts, or what put so many old ones there at once",
    ),
    lint(
        "feed-ill-formed",
        "a feed cannot be read back, and is not served",
        "report it; until then `feeds.self_check = \"off\"` serves it all the same",
    ),
    lint(
        "feed-dates-moved",
        "many posts of the feeds have another date at once",
        "look at what changed the dates: a time zone, a rule for dates, a script",
    ),
    lint(
        "feed-shrunk",
        "the feeds have less than half of their posts",
        "see that the folders of posts are there and the posts are not broken",
    ),
    lint(
        "feed-grown",
        "the feeds have more than twice their bytes",
        "lower `feeds.items` or `feeds.kilobytes`, or look for a post with a picture in its text",
    ),
    lint(
        "internal",
        "the file cannot be read because of a bug in Postrider",
        "report it, with the file if you may",
    ),
];

/// What is known of a code.
pub fn explain(code: &str) -> Option<&'static Lint> {
    LINTS.iter().chain(&FINDINGS).find(|lint| lint.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_explained_once_and_in_the_manual() {
        let manual = include_str!("../../docs/authors.md");
        let mut seen = std::collections::HashSet::new();
        for lint in LINTS.iter().chain(&FINDINGS) {
            assert!(seen.insert(lint.code), "{} is there twice", lint.code);
            assert!(!lint.meaning.ends_with('.') && !lint.mend.ends_with('.'), "{}", lint.code);
        }
        for lint in LINTS {
            assert!(manual.contains(&format!("| `{}` |", lint.code)), "{} is missing", lint.code);
        }
        assert!(explain("post-nothing").is_none());
    }

    /// The codes in a source text: those that a finding is made with, and what begins like one.
    fn codes(text: &str) -> Vec<&str> {
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let makers = ["Problem::new(", "Diagnostic::error(", "Diagnostic::warning(", "Found::new("];
        let made = makers.iter().flat_map(|maker| text.split(maker).skip(1));
        let made = made.filter_map(|rest| rest.trim_start().strip_prefix('"'));
        let likely = ["post-", "front-matter-", "ghost-"];
        let alike = text.split('"').skip(1).filter(|it| likely.iter().any(|at| it.starts_with(at)));
        made.filter_map(|rest| rest.split('"').next())
            .chain(alike)
            .filter(|it| it.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
            .collect()
    }

    #[test]
    fn whatever_is_found_in_a_post_is_explained() {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let places = ["content", "ingest", "cli/check/links.rs", "cli/check/posts.rs"]
            .map(|name| source.join(name));
        let mut seen = std::collections::HashSet::new();
        for entry in places.iter().flat_map(walkdir::WalkDir::new) {
            let path = entry.unwrap().into_path();
            let is_test =
                path.components().any(|it| it.as_os_str().to_string_lossy().starts_with("tests"));
            if is_test || path.extension().is_none_or(|it| it != "rs") {
                continue;
            }
            for code in codes(&std::fs::read_to_string(&path).unwrap()) {
                assert!(explain(code).is_some(), "`{code}` in {} is not explained", path.display());
                seen.insert(code.to_owned());
            }
        }
        for code in ["post-wish", "same-as-another", "front-matter-toml", "post-todo", "symlink"] {
            assert!(seen.contains(code), "{code} is looked for in vain");
        }
    }
}
