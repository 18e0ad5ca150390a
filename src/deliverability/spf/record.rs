//! The text of an SPF record (RFC 7208 sections 4.5, 5 and 6).

use std::net::IpAddr;

use ipnet::IpNet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    All,
    Include(String),
    /// Without a name it means the domain itself.
    A(Option<String>, Lengths),
    Mx(Option<String>, Lengths),
    Ptr,
    Ip(IpNet),
    Exists,
}

/// Prefix lengths behind `a` and `mx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lengths {
    v4: u8,
    v6: u8,
}

impl Lengths {
    pub(super) fn around(self, address: IpAddr) -> Option<IpNet> {
        let length = if address.is_ipv4() { self.v4 } else { self.v6 };
        IpNet::new(address, length).ok().map(|net| net.trunc())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Term {
    Mechanism(Qualifier, Mechanism),
    Redirect(String),
    /// `exp=` and modifiers that nobody knows.
    Other,
}

/// Whether a TXT record is meant to be one.
pub(super) fn is_record(text: &str) -> bool {
    let version = text.get(..6).unwrap_or_default();
    version.eq_ignore_ascii_case("v=spf1") && matches!(text.as_bytes().get(6), None | Some(b' '))
}

/// The terms behind `v=spf1`; fails with the word that is none.
pub(super) fn parse(text: &str) -> Result<Vec<Term>, String> {
    text.split_ascii_whitespace().skip(1).map(|word| term(word).ok_or(word.to_owned())).collect()
}

fn term(word: &str) -> Option<Term> {
    let name_end = word.find(['=', ':', '/']).unwrap_or(word.len());
    if word[name_end..].starts_with('=') {
        let value = &word[name_end + 1..];
        return Some(match word[..name_end].to_ascii_lowercase().as_str() {
            "redirect" if value.is_empty() => return None,
            "redirect" => Term::Redirect(value.to_owned()),
            _ => Term::Other,
        });
    }
    let (qualifier, word) = match word.as_bytes().first()? {
        b'+' => (Qualifier::Pass, &word[1..]),
        b'-' => (Qualifier::Fail, &word[1..]),
        b'~' => (Qualifier::SoftFail, &word[1..]),
        b'?' => (Qualifier::Neutral, &word[1..]),
        _ => (Qualifier::Pass, word),
    };
    mechanism(word).map(|mechanism| Term::Mechanism(qualifier, mechanism))
}

fn mechanism(word: &str) -> Option<Mechanism> {
    let name_end = word.find([':', '/']).unwrap_or(word.len());
    let (name, rest) = word.split_at(name_end);
    let value = rest.strip_prefix(':').filter(|value| !value.is_empty());
    Some(match (name.to_ascii_lowercase().as_str(), value) {
        ("all", None) if rest.is_empty() => Mechanism::All,
        ("include", Some(domain)) => Mechanism::Include(domain.to_owned()),
        ("ip4", Some(network)) => Mechanism::Ip(network_of(network).filter(is_v4)?),
        ("ip6", Some(network)) => Mechanism::Ip(network_of(network).filter(|net| !is_v4(net))?),
        ("exists", Some(_)) => Mechanism::Exists,
        ("ptr", _) => Mechanism::Ptr,
        ("a", _) => {
            let (domain, lengths) = target(rest)?;
            Mechanism::A(domain, lengths)
        }
        ("mx", _) => {
            let (domain, lengths) = target(rest)?;
            Mechanism::Mx(domain, lengths)
        }
        _ => return None,
    })
}

fn is_v4(network: &IpNet) -> bool {
    network.addr().is_ipv4()
}

fn network_of(text: &str) -> Option<IpNet> {
    let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    network.map(|network| network.trunc())
}

/// What stands behind `a` and `mx`: `:domain/24//64`, each part optional.
fn target(rest: &str) -> Option<(Option<String>, Lengths)> {
    let (domain, lengths) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let domain = match domain.strip_prefix(':') {
        Some("") => return None,
        Some(domain) => Some(domain.to_owned()),
        None if domain.is_empty() => None,
        None => return None,
    };
    let (v4, v6) = match lengths.split_once("//") {
        Some((v4, v6)) => (v4, Some(v6)),
        None => (lengths, None),
    };
    let v4 = match v4.strip_prefix('/') {
        Some(length) => length.parse().ok().filter(|length| *length <= 32)?,
        None => 32,
    };
    let v6 = match v6 {
        Some(length) => length.parse().ok().filter(|length| *length <= 128)?,
        None => 128,
    };
    Some((domain, Lengths { v4, v6 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_version_makes_a_record() {
        for text in ["v=spf1", "v=spf1 -all", "V=SPF1 -all"] {
            assert!(is_record(text), "{text}");
        }
        for text in ["v=spf10 -all", "v=spf2 -all", "spf1", "", "v=spf\u{fc}", " v=spf1"] {
            assert!(!is_record(text), "{text}");
        }
    }

    #[test]
    fn every_form_of_a_term_is_read() {
        let one = |word: &str| parse(&format!("v=spf1 {word}")).map(|terms| terms[0].clone());
        let pass = |mechanism| Ok(Term::Mechanism(Qualifier::Pass, mechanism));
        let host = Lengths { v4: 32, v6: 128 };
        assert_eq!(one("~all"), Ok(Term::Mechanism(Qualifier::SoftFail, Mechanism::All)));
        assert_eq!(one("?ALL"), Ok(Term::Mechanism(Qualifier::Neutral, Mechanism::All)));
        assert_eq!(one("a"), pass(Mechanism::A(None, host)));
        assert_eq!(one("a/24//64"), pass(Mechanism::A(None, Lengths { v4: 24, v6: 64 })));
        let mx = Mechanism::Mx(Some("b.example".into()), Lengths { v4: 32, v6: 48 });
        assert_eq!(one("+mx:b.example//48"), pass(mx));
        assert_eq!(one("include:b.example"), pass(Mechanism::Include("b.example".into())));
        let net: IpNet = "192.0.2.0/24".parse().unwrap();
        assert_eq!(one("ip4:192.0.2.7/24"), pass(Mechanism::Ip(net)));
        let address: IpNet = "2001:db8::1/128".parse().unwrap();
        assert_eq!(one("ip6:2001:db8::1"), pass(Mechanism::Ip(address)));
        assert_eq!(one("redirect=b.example"), Ok(Term::Redirect("b.example".into())));
        assert_eq!(one("exp=why.%{d}"), Ok(Term::Other));
        assert_eq!(one("exists:%{i}.b.example"), pass(Mechanism::Exists));
    }

    #[test]
    fn a_word_that_is_no_term_is_named() {
        for word in
            ["ipv4:192.0.2.1", "ip4:2001:db8::1", "ip4:192.0.2", "include:", "a:", "a/33", "all:x"]
        {
            assert_eq!(parse(&format!("v=spf1 {word} -all")), Err(word.to_owned()));
        }
    }
}
