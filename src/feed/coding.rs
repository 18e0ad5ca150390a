//! The forms in which a document travels: as it is, or compressed.
//!
//! A form is made when somebody first asks for it, and kept: once per change, and not at all for what nobody polls.

use std::io::{self, Write as _};
use std::sync::{Arc, OnceLock};

use flate2::{Compression, GzBuilder};

/// From here on another percent costs twice the time.
const BROTLI_QUALITY: i32 = 5;
/// Its window of 4 MiB is within what every receiver must take (RFC 9659).
const ZSTD_LEVEL: i32 = 9;
/// The level above which gzip takes longer and saves nothing.
const GZIP_LEVEL: u32 = 6;

/// A content coding (RFC 9110 section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Coding {
    Gzip,
    Zstd,
    Brotli,
}

impl Coding {
    /// The smallest and quickest first.
    pub const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    /// What `Accept-Encoding` and `Content-Encoding` call it.
    pub fn token(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Brotli => "br",
        }
    }

    /// Equal bytes compress to equal bytes, on every node: there is no time and no name in any of them.
    pub fn compress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip => {
                let out = Vec::with_capacity(bytes.len() / 3);
                let mut encoder =
                    GzBuilder::new().mtime(0).write(out, Compression::new(GZIP_LEVEL));
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Self::Zstd => zstd::bulk::compress(bytes, ZSTD_LEVEL),
            Self::Brotli => {
                let how = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    size_hint: bytes.len(),
                    ..brotli::enc::BrotliEncoderParams::default()
                };
                let mut out = Vec::with_capacity(bytes.len() / 3);
                brotli::BrotliCompress(&mut &*bytes, &mut out, &how)?;
                Ok(out)
            }
        }
    }
}

/// One form: `None` inside when it could not be made.
type Form = OnceLock<Option<Arc<[u8]>>>;

/// The compressed forms of one document.
#[derive(Debug, Default)]
pub struct Forms {
    gzip: Form,
    zstd: Form,
    brotli: Form,
}

impl Forms {
    fn of(&self, coding: Coding) -> &Form {
        match coding {
            Coding::Gzip => &self.gzip,
            Coding::Zstd => &self.zstd,
            Coding::Brotli => &self.brotli,
        }
    }

    /// Whether [`Forms::get`] has nothing left to do.
    pub fn is_made(&self, coding: Coding) -> bool {
        self.of(coding).get().is_some()
    }

    /// `bytes`, which are always the same ones, in this form. Takes a while the first time.
    pub fn get(&self, coding: Coding, bytes: &[u8]) -> Option<Arc<[u8]>> {
        self.of(coding).get_or_init(|| coding.compress(bytes).ok().map(Arc::from)).clone()
    }
}
