//! What engines and note apps add to Markdown, as readers of feeds and mails see it.

use super::super::*;
use super::{post_at, read};

pub(super) fn post(name: &str, body: &str) -> Parsed {
    post_at(name, &format!("---\ntitle: T\ndate: 2024-01-15\n---\n{body}\n"))
}

pub(super) fn html(body: &str) -> String {
    post("hello.md", body).html
}

fn mdx(body: &str) -> String {
    post("hello.mdx", body).html
}

fn warnings(name: &str, body: &str) -> Vec<String> {
    let text = format!("---\ntitle: T\ndate: 2024-01-15\n---\n{body}\n");
    let (_, warnings) = read(name, text.as_bytes()).unwrap();
    warnings.iter().map(ToString::to_string).collect()
}

fn check(cases: &[(&str, &str)]) {
    for (body, expected) in cases {
        assert_eq!(html(body), *expected, "{body}");
        assert_eq!(warnings("hello.md", body), Vec::<String>::new(), "{body}");
    }
}

const VIDEO: &str = "<a href=\"https://www.youtube.com/watch?v=dQw4w9WgXcQ\"><img src=\"https://i.ytimg.com/vi/dQw4w9WgXcQ/hqdefault.jpg\" alt=\"Video on YouTube\"></a>";

/// Statement 23.
#[test]
fn hugos_shortcodes_are_what_they_stand_for() {
    check(&[
        ("{{< youtube dQw4w9WgXcQ >}}", &format!("<p>{VIDEO}</p>")),
        ("{{<youtube id=\"dQw4w9WgXcQ\" autoplay=\"true\">}}", &format!("<p>{VIDEO}</p>")),
        (
            "{{< vimeo 55073825 >}}",
            "<p><a href=\"https://vimeo.com/55073825\">Video on Vimeo</a></p>",
        ),
        (
            "{{< figure src=\"a.png\" alt=\"An <A>\" caption=\"C & D\" link=\"/x\" width=\"300\" >}}\nafter",
            "<figure><a href=\"https://example.org/x\"><img src=\"https://example.org/posts/hello/a.png\" alt=\"An &lt;A&gt;\" width=\"300\"></a><figcaption>C &amp; D</figcaption></figure>\n<p>after</p>",
        ),
        (
            "x\n\n{{< highlight go \"linenos=table\" >}}\nfunc main() {\n\n\t`a`\n}\n{{< /highlight >}}\n\ny",
            "<p>x</p>\n<pre><code class=\"language-go\">func main() {\n\n\t`a`\n}\n</code></pre>\n<p>y</p>",
        ),
        ("`{{< youtube dQw4w9WgXcQ >}}`", "<p><code>{{&lt; youtube dQw4w9WgXcQ &gt;}}</code></p>"),
    ]);
}

#[test]
fn liquid_and_zola_are_read_where_they_mean_something_alone() {
    check(&[
        ("{% youtube dQw4w9WgXcQ %}", &format!("<p>{VIDEO}</p>")),
        ("{{ youtube(id=\"dQw4w9WgXcQ\") }}", &format!("<p>{VIDEO}</p>")),
        (
            "![]({{ \"/a b.png\" | relative_url }}) [x]({{ site.url }}/y)",
            "<p><img src=\"https://example.org/a%20b.png\" alt=\"\"> <a href=\"https://example.org/y\">x</a></p>",
        ),
        (
            "{% highlight ruby linenos %}\ndef a\n\n```\nend\n{% endhighlight %}",
            "<pre><code class=\"language-ruby\">def a\n\n```\nend\n</code></pre>",
        ),
        ("a {% raw %}{{ page.title }}{% endraw %} b", "<p>a {{ page.title }} b</p>"),
        ("a{% comment %} never\n\nseen {% endcomment %} b", "<p>a b</p>"),
    ]);
}

/// Statement 23.
#[test]
fn obsidians_notes_read_as_their_author_sees_them() {
    check(&[
        ("[[#Here]]", "<p><a href=\"https://example.org/posts/hello/#hello-here\">Here</a></p>"),
        (
            "![[a b.png|300]] ![[c.jpg|An alt]] ![[d.webp|alt|30x20]]",
            "<p><img src=\"https://example.org/posts/hello/a%20b.png\" alt=\"\" width=\"300\"> <img src=\"https://example.org/posts/hello/c.jpg\" alt=\"An alt\"> <img src=\"https://example.org/posts/hello/d.webp\" alt=\"alt\" width=\"30\" height=\"20\"></p>",
        ),
        (
            "a ==marked **text**== b ==c a==b `==` == d",
            "<p>a <mark>marked <strong>text</strong></mark> b ==c a==b <code>==</code> == d</p>",
        ),
        (
            "a %%never seen%% b\n\n%%\nnor\n\nthis\n%%\n\n100%% sure",
            "<p>a  b</p>\n<p>100%% sure</p>",
        ),
        (
            "> [!faq]- Are they *open*?\n> Always.\n>\n> > [!BUG]\n> > x",
            "<blockquote class=\"markdown-alert-note\">\n<p class=\"markdown-alert-title\"><strong>Are they <em>open</em>?</strong></p>\n<p>Always.</p>\n<blockquote class=\"markdown-alert-caution\">\n<p class=\"markdown-alert-title\"><strong>Bug</strong></p>\n<p>x</p>\n</blockquote>\n</blockquote>",
        ),
        (
            "[[1]](https://x.example/) `[[code]]`",
            "<p><a href=\"https://x.example/\">[1]</a> <code>[[code]]</code></p>",
        ),
    ]);
}

#[test]
fn an_address_that_is_guessed_is_told_once() {
    for (body, expected, told) in [
        (
            "[[My Note]], [[dir/My Note|text]], [[My Note#Some Heading]] and [[#Here]]",
            "<p><a href=\"https://example.org/posts/my-note/\">My Note</a>, <a href=\"https://example.org/posts/my-note/\">text</a>, <a href=\"https://example.org/posts/my-note/#some-heading\">My Note &gt; Some Heading</a> and <a href=\"https://example.org/posts/hello/#hello-here\">Here</a></p>",
            "5:1: nobody knows the address of `My Note`; it is taken to be https://example.org/posts/my-note/",
        ),
        (
            "![[My Note]]",
            "<p><a href=\"https://example.org/posts/my-note/\">My Note</a></p>",
            "5:1: nobody knows the address of `My Note`; it is taken to be https://example.org/posts/my-note/",
        ),
        (
            "[a]({{< ref \"posts/other.md\" >}}) [b]({{< relref \"/posts/Third Post/index.md#Part Two\" >}})",
            "<p><a href=\"https://example.org/posts/other/\">a</a> <a href=\"https://example.org/posts/third-post/#part-two\">b</a></p>",
            "5:5: nobody knows the address of `posts/other.md`; it is taken to be https://example.org/posts/other/",
        ),
        (
            "[a]({% post_url 2023-05-06-older %}) [b]({{ site.baseurl }}{% link _posts/2023-05-06-older.md %}) [c]({% link about.md %})",
            "<p><a href=\"https://example.org/posts/older/\">a</a> <a href=\"https://example.org/posts/older/\">b</a> <a href=\"https://example.org/about.html\">c</a></p>",
            "5:5: nobody knows the address of `2023-05-06-older`; it is taken to be https://example.org/posts/older/",
        ),
    ] {
        assert_eq!(html(body), expected, "{body}");
        let told = format!("posts/hello.md:{told} (write the post's path on the site instead)");
        assert_eq!(warnings("hello.md", body), [told], "{body}");
    }
}

#[test]
fn what_only_looks_like_the_end_of_raw_text_or_code_ends_neither() {
    check(&[
        (
            "{{< highlight sh >}}\ncat usr/highlight\n{{< /highlight >}}\n\nb",
            "<pre><code class=\"language-sh\">cat usr/highlight\n</code></pre>\n<p>b</p>",
        ),
        (
            "{% highlight sh %}\nendhighlight\n{%- endhighlight -%}\n\nb",
            "<pre><code class=\"language-sh\">endhighlight\n</code></pre>\n<p>b</p>",
        ),
        ("{% raw %}endraw {{ x }}{% endraw %} b", "<p>endraw {{ x }} b</p>"),
    ]);
}

#[test]
fn a_size_that_is_none_is_no_size() {
    assert_eq!(
        html("![a](b.png \"&#xFDD1;junk\") ![a](b.png \"&#xFDD1;3xonload\")"),
        "<p><img src=\"https://example.org/posts/hello/b.png\" alt=\"a\" title=\"junk\"> <img src=\"https://example.org/posts/hello/b.png\" alt=\"a\" title=\"3xonload\"></p>"
    );
}

#[test]
fn marks_do_not_cross_headings_or_titles() {
    check(&[
        ("# a ==b\n\n# c== d", "<h1 id=\"hello-a-b\">a ==b</h1>\n<h1 id=\"hello-c-d\">c== d</h1>"),
        (
            ":::note a ==b\nc== d\n:::",
            "<blockquote class=\"markdown-alert-note\">\n<p class=\"markdown-alert-title\"><strong>a ==b</strong></p>\n<p>c== d</p>\n</blockquote>",
        ),
    ]);
}

#[test]
fn directives_of_docusaurus_are_notes() {
    check(&[
        (
            ":::tip My *title*\n\nText\n- a\n:::\n\nafter",
            "<blockquote class=\"markdown-alert-tip\">\n<p class=\"markdown-alert-title\"><strong>My <em>title</em></strong></p>\n<p>Text</p>\n<ul>\n<li>a</li>\n</ul>\n</blockquote>\n<p>after</p>",
        ),
        (
            "::::danger\n:::note[# x]\ny\n:::\n::::",
            "<blockquote class=\"markdown-alert-caution\">\n<p class=\"markdown-alert-title\"><strong>Danger</strong></p>\n<blockquote class=\"markdown-alert-note\">\n<p class=\"markdown-alert-title\"><strong># x</strong></p>\n<p>y</p>\n</blockquote>\n</blockquote>",
        ),
        (
            ":::note 1. Setup\nx\n:::\n:::note * ```\n:::",
            "<blockquote class=\"markdown-alert-note\">\n<p class=\"markdown-alert-title\"><strong>1. Setup</strong></p>\n<p>x</p>\n</blockquote>\n<blockquote class=\"markdown-alert-note\">\n<p class=\"markdown-alert-title\"><strong>* ```</strong></p>\n</blockquote>",
        ),
        (":::unknown\nx\n:::", "<p>:::unknown\nx\n:::</p>"),
        ("```\n:::note\n```", "<pre><code>:::note\n</code></pre>"),
        // Whatever was meant: it is all there, and every tag is closed.
        (
            "- a\n\n  :::note\n\n:::\n\nx",
            "<ul>\n<li>\n<p>a</p>\n<p>Note</p>\n</li>\n</ul>\n<p>x</p>",
        ),
    ]);
}

#[test]
fn mdx_loses_its_code_and_keeps_its_words() {
    let body = "\
import Chart from '../Chart.astro';
import {
  A,
  B,
} from \"./b\";
import hero from './hero.png';

export const meta = {
  a: [1,

  2],
};

{/* a comment */}

<Chart data={[1, 2]} />
<Note kind=\"x\">

    Words with **weight** and 2 {\"{\"}braces{'}'}.

    ```js
    a
      b
    ```
    - item
      more

</Note>

<Image src={hero} alt=\"A hero\" width={300} />

<p className=\"x\" style={{ color: 'red' }}>html</p> {Date.now()} <>y</>

```jsx
import x from 'y';
<Chart />
```

above {/* truncate */} below
";
    insta::assert_snapshot!(format!(
        "{}\n----\n{}",
        mdx(body),
        warnings("hello.mdx", body).join("\n")
    ));
}

/// Statement 23: or the post is reported.
#[test]
fn what_is_not_known_is_told_where_it_stands() {
    let texts = [
        "a\n\n{{< figure src=\"a.png\" >}}\n\n{% include x.html %}",
        "[[Note]] {{< gallery >}}",
        "{{ page.title }}",
    ];
    let found: Vec<String> = texts.iter().flat_map(|text| warnings("hello.md", text)).collect();
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn names_lead_nowhere_where_the_address_needs_more_than_a_name() {
    let site_url = Url::parse("https://example.org").unwrap();
    let rules = FolderRules {
        dates_from: &[DateSource::FrontMatter, DateSource::FileName],
        smart_punctuation: true,
        excerpt_separator: Some("***"),
        ..FolderRules::of_site(&site_url, "/{year}/{month}/{slug}/")
    };
    let text = "---\ntitle: T\ndate: 2024-01-15\n---\nOne -- \"[[other]]\" [a]({% post_url 2023-05-06-older %})\n\nTwo\n\n***\n\nThree";
    let file = SourceFile::new("posts/a.md", "a.md", text.as_bytes());
    let (Verdict::Post(post), warnings) = parse(&file, &rules).unwrap() else { panic!("no post") };
    assert_eq!(
        post.html,
        "<p>One – “other” <a href=\"https://example.org/2023/05/older/\">a</a></p>\n<p>Two</p>\n<hr>\n<p>Three</p>"
    );
    assert_eq!(post.summary, "One – “other” a Two");
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert!(warnings[0].contains("posts/a.md:5:9"), "{warnings:?}");
    assert!(warnings[1].contains("taken to be https://example.org/2023/05/older/"), "{warnings:?}");
    assert_eq!(warnings.len(), 2);
}

#[test]
fn a_note_in_a_quote_or_a_list_item_stays_in_it() {
    assert_eq!(
        html("> :::Tip Title\n> x\n> :::\n\n1. :::note\n   y\n   :::\n2. z"),
        "<blockquote>\n<blockquote class=\"markdown-alert-tip\">\n<p class=\"markdown-alert-title\"><strong>Title</strong></p>\n<p>x</p>\n</blockquote>\n</blockquote>\n<ol>\n<li><blockquote class=\"markdown-alert-note\">\n<p class=\"markdown-alert-title\"><strong>Note</strong></p>\n<p>y</p>\n</blockquote>\n</li>\n<li>\n<p>z</p>\n</li>\n</ol>"
    );
}

#[test]
fn the_authors_own_html_is_kept_for_the_authors_own_page() {
    let own = post(
        "hello.md",
        "a <b onclick=\"x()\">b</b> <script>y()</script><a href=\"/c\" id=\"d\">c</a>",
    );
    assert_eq!(
        own.html,
        "<p>a <b>b</b> <a href=\"https://example.org/c\" id=\"hello-d\">c</a></p>"
    );
    assert_eq!(
        own.web_html.as_deref(),
        Some(
            "<p>a <b onclick=\"x()\">b</b> <script>y()</script><a href=\"https://example.org/c\" id=\"hello-d\">c</a></p>"
        )
    );
    let other = post(
        "hello.md",
        "a <b onclick=\"z()\">b</b> <script>y()</script><a href=\"/c\" id=\"d\">c</a>",
    );
    assert_ne!(own.web_html, other.web_html);
    assert_eq!(own.revision, other.revision, "nobody can see the difference yet");
    assert_eq!(post("hello.md", "a *b* <!-- c -->").web_html, None);
    assert_eq!(post("hello.md", "a <kbd>b</kbd>").web_html, None);
}

#[test]
fn players_become_pictures_that_lead_to_them() {
    let cases = [
        ("", "<iframe src=\"https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ\"></iframe>", VIDEO),
        (
            "",
            "<iframe title=\"A talk\" src=\"https://player.vimeo.com/video/1\"></iframe>",
            "<a href=\"https://vimeo.com/1\">A talk</a>",
        ),
        (
            "image: cover.jpg\n",
            "<iframe src=\"https://player.vimeo.com/video/1\"></iframe>",
            "<a href=\"https://vimeo.com/1\"><img src=\"https://example.org/posts/hello/cover.jpg\" alt=\"Video on Vimeo\"></a>",
        ),
        (
            "image: cover.jpg\n",
            "{{< vimeo 1 >}}",
            "<p><a href=\"https://vimeo.com/1\"><img src=\"https://example.org/posts/hello/cover.jpg\" alt=\"Video on Vimeo\"></a></p>",
        ),
        (
            "",
            "<embed src=\"https://maps.example/x\">",
            "<a href=\"https://maps.example/x\">maps.example</a>",
        ),
    ];
    for (lines, body, expected) in cases {
        let post =
            post_at("hello.md", &format!("---\ntitle: T\ndate: 2024-01-15\n{lines}---\n{body}\n"));
        assert_eq!(post.html, expected, "{body}");
    }
}

/// Knows one image and one post.
#[derive(Debug)]
struct Folder;

impl Neighbours for Folder {
    fn link(&self, name: &str) -> Option<Url> {
        (name == "Other").then(|| Url::parse("https://example.org/elsewhere/").unwrap())
    }

    fn image_size(&self, path: &str) -> Option<(u32, u32)> {
        (path == "img/a b.png").then_some((640, 480))
    }
}

#[test]
fn neighbours_lend_their_sizes_and_addresses() {
    let site_url = Url::parse("https://example.org").unwrap();
    let rules = FolderRules {
        dates_from: &[DateSource::FrontMatter, DateSource::FileName],
        ..FolderRules::of_site(&site_url, "/{slug}/")
    };
    let text = "---\ntitle: T\ndate: 2024-01-15\n---\n![a](<img/a b.png>) [[Other]]\n\n<img src=\"img/a%20b.png\"> <img src=\"img/a b.png\" width=\"10\"> ![](/img/a%20b.png)";
    let file = SourceFile {
        neighbours: &Folder,
        ..SourceFile::new("posts/a.md", "a.md", text.as_bytes())
    };
    let (Verdict::Post(post), _) = parse(&file, &rules).unwrap() else { panic!("no post") };
    assert_eq!(
        post.html,
        "<p><img src=\"https://example.org/a/img/a%20b.png\" alt=\"a\" width=\"640\" height=\"480\"> <a href=\"https://example.org/elsewhere/\">Other</a></p>\n<p><img src=\"https://example.org/a/img/a%20b.png\" width=\"640\" height=\"480\"> <img src=\"https://example.org/a/img/a%20b.png\" width=\"10\"> <img src=\"https://example.org/img/a%20b.png\" alt=\"\"></p>"
    );
}
