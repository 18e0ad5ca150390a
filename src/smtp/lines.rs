//! Reply lines out of bytes, in the one form that lettre's parser takes.
//!
//! Servers send bare line feeds, replies without text, Latin-1 and lines of any length. lettre waits for ever on the
//! first, refuses the second and third, and would turn an accepted mail into an uncertain one.

use std::io;

/// Longest line that is kept; lettre refuses lines of more than 1,000 bytes.
const LINE_BYTES: usize = 900;

/// Most bytes without a line end before we stop listening.
const UNENDED_BYTES: usize = 64 * 1024;

/// Bytes that came in, taken out a line at a time.
#[derive(Debug, Default)]
pub(super) struct Lines {
    raw: Vec<u8>,
}

impl Lines {
    /// Nothing is waiting, not even half a line.
    pub(super) fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// Takes in what the server sent. Fails when it sends on and on without a line end.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.raw.extend_from_slice(bytes);
        if self.raw.len() > UNENDED_BYTES && !self.raw.contains(&b'\n') {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a reply without a line end"));
        }
        Ok(())
    }

    /// The next line, in printable ASCII, with CRLF, and with the blank after the code that may be missing.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        let end = memchr::memchr(b'\n', &self.raw)?;
        let mut line: Vec<u8> = self.raw.drain(..=end).take(LINE_BYTES).collect();
        while matches!(line.last(), Some(b'\r' | b'\n')) {
            line.pop();
        }
        for byte in &mut line {
            *byte = match *byte {
                0x20..=0x7e => *byte,
                0x80..=0xff => b'?',
                0x00..=0x1f | 0x7f => b' ',
            };
        }
        if line.len() == 3 {
            line.push(b' ');
        }
        line.extend_from_slice(b"\r\n");
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::default();
        lines.feed(bytes).unwrap();
        std::iter::from_fn(|| lines.next()).map(|line| String::from_utf8(line).unwrap()).collect()
    }

    #[test]
    fn odd_line_ends_and_bytes_become_lines_that_the_parser_takes() {
        assert_eq!(lines(b"250\r\n"), ["250 \r\n"]);
        assert_eq!(lines(b"250-a\n250 b\r\n25"), ["250-a\r\n", "250 b\r\n"]);
        assert_eq!(lines(b"250 gr\xfc\xdfe\0\r\n"), ["250 gr??e \r\n"]);
        let long = [b"250 ".as_slice(), &[b'x'; 5_000], b"\r\n250 next\r\n"].concat();
        assert_eq!(lines(&long)[0].len(), LINE_BYTES + 2);
        assert_eq!(lines(&long)[1], "250 next\r\n");
    }

    #[test]
    fn a_server_that_never_ends_its_line_is_cut_off() {
        let mut lines = Lines::default();
        assert!(lines.feed(&vec![b'x'; UNENDED_BYTES]).is_ok());
        assert!(lines.feed(b"x").is_err());
    }
}
