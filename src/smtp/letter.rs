//! A mail as one server will hear it: its commands, its message in the form that goes over the wire, or why it cannot go.
//!
//! Pure, and once over the message at the speed of memory: this is what every mail costs.

use std::fmt::Write as _;

use super::dialogue::Offers;
use super::wire::Piece;
use crate::courier::MailParcel;
use crate::domain::{DeliveryId, EmailAddress};

/// A mail that this server can take.
pub(super) struct Letter {
    parcel: MailParcel,
    pub(super) mail: String,
    pub(super) rcpt: String,
    needs_stuffing: bool,
}

/// Why a mail cannot go to this server at all. Nothing is said; the connection is as good as before.
#[derive(Debug)]
pub(super) struct Unfit {
    pub(super) delivery: DeliveryId,
    pub(super) text: String,
}

impl Letter {
    pub(super) fn new(mut parcel: MailParcel, offers: &Offers) -> Result<Self, Unfit> {
        let form = Form::of(&parcel.message);
        let fit = form.and_then(|form| Ok((form, parameters(&parcel, offers)?)));
        let (form, parameters) = match fit {
            Ok(fit) => fit,
            Err(text) => return Err(Unfit { delivery: parcel.delivery, text }),
        };
        if !form.ends_with_a_line {
            parcel.message.extend_from_slice(b"\r\n");
        }
        Ok(Self {
            mail: format!("MAIL FROM:<{}>{parameters}\r\n", parcel.from.as_str()),
            rcpt: format!("RCPT TO:<{}>\r\n", parcel.to.as_str()),
            parcel,
            needs_stuffing: form.needs_stuffing,
        })
    }

    pub(super) fn delivery(&self) -> DeliveryId {
        self.parcel.delivery
    }

    pub(super) fn to(&self) -> &EmailAddress {
        &self.parcel.to
    }

    /// The mail again, for another server or connection. Only before its message was taken.
    pub(super) fn into_parcel(self) -> MailParcel {
        self.parcel
    }

    /// Bytes of the message.
    pub(super) fn size_bytes(&self) -> usize {
        self.parcel.message.len()
    }

    /// The message and its dot (RFC 5321 section 4.5.2). Leaves nothing of the message behind.
    pub(super) fn take_dotted(&mut self) -> Piece {
        let mut bytes = std::mem::take(&mut self.parcel.message);
        if self.needs_stuffing {
            bytes = stuffed(&bytes);
        }
        let end = bytes.len();
        bytes.extend_from_slice(b".\r\n");
        Piece { bytes, end: Some(end) }
    }

    /// The message as the only chunk (RFC 3030), without its BDAT line. Leaves nothing of the message behind.
    pub(super) fn take_chunk(&mut self) -> Piece {
        let bytes = std::mem::take(&mut self.parcel.message);
        let end = bytes.len().checked_sub(1);
        Piece { bytes, end }
    }
}

/// What a look at every line end of a message tells.
#[derive(Debug, PartialEq)]
struct Form {
    /// A line begins with a dot.
    needs_stuffing: bool,
    ends_with_a_line: bool,
}

impl Form {
    fn of(message: &[u8]) -> Result<Self, String> {
        let mut needs_stuffing = message.first() == Some(&b'.');
        let mut lines = 0;
        for at in memchr::memchr_iter(b'\n', message) {
            if at == 0 || message[at - 1] != b'\r' {
                return Err(bare());
            }
            needs_stuffing |= message.get(at + 1) == Some(&b'.');
            lines += 1;
        }
        // Each line feed has its carriage return; one more of those would be bare.
        if memchr::memchr_iter(b'\r', message).count() != lines {
            return Err(bare());
        }
        Ok(Self { needs_stuffing, ends_with_a_line: message.ends_with(b"\r\n") })
    }
}

/// Some servers end a message at a bare line feed and a dot, and read the rest as commands (SMTP smuggling).
fn bare() -> String {
    "the message has a line end that is not CRLF".to_owned()
}

fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 64 + 8);
    if message.first() == Some(&b'.') {
        out.push(b'.');
    }
    let mut from = 0;
    for at in memchr::memmem::find_iter(message, b"\r\n.") {
        out.extend_from_slice(&message[from..at + 3]);
        out.push(b'.');
        from = at + 3;
    }
    out.extend_from_slice(&message[from..]);
    out
}

/// The parameters of MAIL, or why this server cannot take this mail.
fn parameters(parcel: &MailParcel, offers: &Offers) -> Result<String, String> {
    let MailParcel { from, to, message, .. } = parcel;
    let mut parameters = String::new();
    let size = message.len();
    if let Some(most) = offers.size_bytes
        && u64::try_from(size).unwrap_or(u64::MAX) > most
    {
        return Err(format!("the message has {size} bytes; this server takes {most}"));
    }
    if offers.size {
        // Lets a server that is short of space refuse before it has read the message.
        write!(parameters, " SIZE={size}").expect("a string takes everything");
    }
    // The domain is in A-labels already, so only a local part asks for it (RFC 6531 section 3.7.1).
    if !from.as_str().is_ascii() || !to.as_str().is_ascii() {
        if !offers.utf8 {
            return Err("this server does not take international addresses".to_owned());
        }
        parameters.push_str(" SMTPUTF8");
    }
    if !message.is_ascii() {
        if !offers.eight_bit {
            return Err("this server does not take 8-bit messages".to_owned());
        }
        parameters.push_str(" BODY=8BITMIME");
    }
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn letter(to: &str, message: &[u8], offers: &Offers) -> Result<Letter, Unfit> {
        let mail = MailParcel {
            delivery: DeliveryId(1),
            from: "bounce@example.org".parse().unwrap(),
            to: to.parse().unwrap(),
            message_id: "1@example.org".to_owned(),
            message: message.to_vec(),
        };
        Letter::new(mail, offers)
    }

    #[test]
    fn only_crlf_ends_a_line() {
        for good in ["", "a", "a\r\n", "\r\n\r\n", "a\r\nb"] {
            assert!(Form::of(good.as_bytes()).is_ok(), "{good:?}");
        }
        for bad in ["\n", "a\n", "a\r", "\r\r\n", "a\rb", "a\n\r\n", "\n.\n", "\r\n\r", "\r\ra\n"] {
            assert!(Form::of(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_dot_that_ends_a_message_is_the_only_one_alone_on_its_line() {
        let table = [
            ("", "\r\n.\r\n", 2),
            ("a", "a\r\n.\r\n", 3),
            ("a\r\n", "a\r\n.\r\n", 3),
            (".", "..\r\n.\r\n", 4),
            ("a\r\n.\r\n..\r\nb.\r\n", "a\r\n..\r\n...\r\nb.\r\n.\r\n", 16),
        ];
        for (message, wire, end) in table {
            let piece = letter("ann@example.org", message.as_bytes(), &Offers::default())
                .unwrap()
                .take_dotted();
            assert_eq!(String::from_utf8(piece.bytes).unwrap(), wire);
            assert_eq!(piece.end, Some(end), "{message:?}");
        }
        let chunk = letter("ann@example.org", b".\r\n.", &Offers::default()).unwrap().take_chunk();
        assert_eq!((chunk.bytes.as_slice(), chunk.end), (b".\r\n.\r\n".as_slice(), Some(5)));
    }

    #[test]
    fn an_umlaut_in_the_domain_asks_for_nothing_and_one_before_it_for_smtputf8() {
        let offers = Offers::default();
        let domain = letter("ann@b\u{fc}cher.example", b"a\r\n", &offers).unwrap();
        assert_eq!(domain.rcpt, "RCPT TO:<ann@xn--bcher-kva.example>\r\n");
        assert_eq!(domain.mail, "MAIL FROM:<bounce@example.org>\r\n");
        let unfit = letter("j\u{f6}rg@example.org", b"a\r\n", &offers).err().unwrap();
        assert_eq!(unfit.text, "this server does not take international addresses");
        let offers = Offers { utf8: true, eight_bit: true, size: true, ..Offers::default() };
        let local =
            letter("j\u{f6}rg@b\u{fc}cher.example", "\u{fc}\r\n".as_bytes(), &offers).unwrap();
        assert_eq!(local.rcpt, "RCPT TO:<j\u{f6}rg@xn--bcher-kva.example>\r\n");
        assert_eq!(local.mail, "MAIL FROM:<bounce@example.org> SIZE=4 SMTPUTF8 BODY=8BITMIME\r\n");
    }

    proptest! {
        #[test]
        fn bare_line_ends_and_dots_are_seen_wherever_they_are(
            lines in prop::collection::vec("[.a]{0,60}", 0..8),
            flaw in prop::option::of((0..400_usize, "[\r\n]")),
        ) {
            let mut message = lines.join("\r\n");
            if let Some((at, flaw)) = flaw {
                message.insert_str(at.min(message.len()), &flaw);
            }
            let form = Form::of(message.as_bytes());
            prop_assert_eq!(form.is_ok(), !message.replace("\r\n", "").contains(['\r', '\n']));
            if let Ok(form) = form {
                prop_assert_eq!(form.needs_stuffing, message.split("\r\n").any(|line| line.starts_with('.')));
            }
        }

        #[test]
        fn a_server_that_undoes_the_stuffing_has_the_message_again(
            lines in prop::collection::vec("[.a]{0,4}", 0..8),
        ) {
            let message = lines.join("\r\n");
            let mut letter = letter("ann@example.org", message.as_bytes(), &Offers::default()).unwrap();
            let wire = String::from_utf8(letter.take_dotted().bytes).unwrap();
            let (body, after) = wire.split_at(wire.find("\r\n.\r\n").map_or(0, |at| at + 2));
            prop_assert_eq!(after, ".\r\n");
            let undone: Vec<_> = body
                .split_terminator("\r\n")
                .map(|line| line.strip_prefix('.').unwrap_or(line))
                .collect();
            let mut expected = message;
            if !expected.ends_with("\r\n") {
                expected.push_str("\r\n");
            }
            prop_assert_eq!(undone.join("\r\n") + "\r\n", expected);
        }
    }
}
