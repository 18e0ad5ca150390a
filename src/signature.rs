//! The headers of a signed call (Standard Webhooks 1.0.0): the same whether it goes out by HTTP or lands in the outbox.
//!
//! Pure: callers pass `now` in.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

/// What a call says about itself besides its body.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// `webhook-id`: identifies the delivery and is the same on every attempt. Has no `.`.
    pub key: &'a str,
    /// The body as it is sent.
    pub body: &'a str,
    /// Where this installation's readers find it; receivers see it in `User-Agent`.
    pub public_url: &'a str,
    /// The instant of this attempt.
    pub now: Timestamp,
}

/// The headers of `call`, in the order in which they are sent. Without `secrets` there is no signature; with several,
/// each signs, in the given order: the current one first, because some receivers only try that.
pub fn headers<'a>(
    call: &Call<'_>,
    secrets: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<(&'static str, String)> {
    let version = env!("CARGO_PKG_VERSION");
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("user-agent", format!("Postrider/{version} (+{})", call.public_url)),
        ("idempotency-key", call.key.to_owned()),
        ("webhook-id", call.key.to_owned()),
        ("webhook-timestamp", call.now.as_second().to_string()),
    ];
    let signatures: Vec<_> = secrets.into_iter().map(|secret| sign(call, secret)).collect();
    if !signatures.is_empty() {
        headers.push(("webhook-signature", signatures.join(" ")));
    }
    headers
}

fn sign(call: &Call<'_>, secret: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signed = format!("{}.{}.{}", call.key, call.now.as_second(), call.body);
    format!("v1,{}", STANDARD.encode(hmac::sign(&key, signed.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Call<'_> = Call {
        key: "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        body: r#"{"email":"test@example.com","username":"test_user"}"#,
        public_url: "https://news.example.org/",
        now: Timestamp::constant(1_649_367_553, 0),
    };

    fn value(headers: &[(&str, String)], name: &str) -> Option<String> {
        headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn the_published_vector_of_standard_webhooks_comes_out_byte_for_byte() {
        let secret = STANDARD.decode("C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
        let headers = headers(&CALL, [secret.as_slice()]);
        assert_eq!(value(&headers, "webhook-id").as_deref(), Some(CALL.key));
        assert_eq!(value(&headers, "idempotency-key").as_deref(), Some(CALL.key));
        assert_eq!(value(&headers, "webhook-timestamp").as_deref(), Some("1649367553"));
        assert_eq!(
            value(&headers, "webhook-signature").as_deref(),
            Some("v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=")
        );
    }

    #[test]
    fn every_secret_signs_and_the_current_one_is_first() {
        let both = value(&headers(&CALL, [&b"new"[..], b"old"]), "webhook-signature").unwrap();
        let new = value(&headers(&CALL, [&b"new"[..]]), "webhook-signature").unwrap();
        let old = value(&headers(&CALL, [&b"old"[..]]), "webhook-signature").unwrap();
        assert_eq!(both, format!("{new} {old}"));
    }

    #[test]
    fn a_call_without_secrets_is_not_signed() {
        assert_eq!(value(&headers(&CALL, []), "webhook-signature"), None);
    }
}
