//! Players of other sites -> where their videos are watched, and a picture of them where nobody need be asked for it.

use url::Url;

/// A video on a site whose addresses are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Video {
    /// The page that people watch it on.
    pub(super) page: String,
    pub(super) picture: Option<String>,
    pub(super) site: &'static str,
}

impl Video {
    /// The video with an id at `YouTube`.
    pub(super) fn youtube(id: &str) -> Option<Self> {
        // A list of videos is embedded under a name that looks like one.
        let is_id = id.len() == 11 && id.bytes().all(is_id_byte) && id != "videoseries";
        is_id.then(|| Self {
            page: format!("https://www.youtube.com/watch?v={id}"),
            // The one size that there is of every video.
            picture: Some(format!("https://i.ytimg.com/vi/{id}/hqdefault.jpg")),
            site: "YouTube",
        })
    }

    /// The video with a number at Vimeo, and the key to it where it is not listed.
    pub(super) fn vimeo(id: &str, key: Option<&str>) -> Option<Self> {
        let is_id = (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit());
        let key = key.filter(|key| !key.is_empty() && key.bytes().all(is_id_byte));
        let page = match key {
            Some(key) => format!("https://vimeo.com/{id}/{key}"),
            None => format!("https://vimeo.com/{id}"),
        };
        is_id.then_some(Self { page, picture: None, site: "Vimeo" })
    }

    /// What a player at `url` plays.
    pub(super) fn at(url: &Url) -> Option<Self> {
        let host = url.host_str()?;
        let host = host.strip_prefix("www.").or_else(|| host.strip_prefix("m.")).unwrap_or(host);
        let parts: Vec<&str> = url.path_segments()?.filter(|part| !part.is_empty()).collect();
        let parameter =
            |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
        match (host, parts.as_slice()) {
            ("youtube.com" | "youtube-nocookie.com", ["watch", ..]) => {
                Self::youtube(&parameter("v")?)
            }
            ("youtu.be", [id, ..])
            | (
                "youtube.com" | "youtube-nocookie.com",
                ["embed" | "shorts" | "live" | "v", id, ..],
            ) => Self::youtube(id),
            ("player.vimeo.com", ["video", id, ..]) => Self::vimeo(id, parameter("h").as_deref()),
            ("vimeo.com", [id]) => Self::vimeo(id, None),
            ("vimeo.com", [id, key]) => Self::vimeo(id, Some(key)),
            _ => None,
        }
    }

    /// What the picture, or the link, is called.
    pub(super) fn words(&self) -> String {
        format!("Video on {}", self.site)
    }

    /// A linked picture in Markdown; `stand_in` is the picture of videos that have none.
    pub(super) fn markdown(&self, title: Option<&str>, stand_in: Option<&str>) -> String {
        let words = self.words();
        let words = title.filter(|title| !title.is_empty()).unwrap_or(&words);
        let words = words.replace(['[', ']', '\\', '\n'], " ");
        let fits = |picture: &&str| !picture.contains(['<', '>', '\n']);
        match self.picture.as_deref().or(stand_in).filter(fits) {
            Some(picture) => format!("[![{words}](<{picture}>)]({})", self.page),
            None => format!("[{words}]({})", self.page),
        }
    }
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_a_player_leads_to_the_page_of_its_video() {
        let page = |url: &str| Video::at(&Url::parse(url).unwrap()).map(|video| video.page);
        for url in [
            "https://www.youtube.com/embed/dQw4w9WgXcQ?start=10",
            "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
            "https://youtu.be/dQw4w9WgXcQ?si=x",
            "https://youtube.com/shorts/dQw4w9WgXcQ",
            "https://m.youtube.com/watch?list=x&v=dQw4w9WgXcQ",
        ] {
            let watch = "https://www.youtube.com/watch?v=dQw4w9WgXcQ";
            assert_eq!(page(url).as_deref(), Some(watch), "{url}");
        }
        assert_eq!(
            page("https://player.vimeo.com/video/123?h=ab1").as_deref(),
            Some("https://vimeo.com/123/ab1")
        );
        assert_eq!(page("https://vimeo.com/123").as_deref(), Some("https://vimeo.com/123"));
        for url in [
            "https://www.youtube.com/embed/videoseries?list=x",
            "https://www.youtube.com/@channel",
            "https://youtu.be/\"onerror",
            "https://vimeo.com/about",
            "https://youtube.com.evil.example/embed/dQw4w9WgXcQ",
        ] {
            assert_eq!(page(url), None, "{url}");
        }
    }
}
