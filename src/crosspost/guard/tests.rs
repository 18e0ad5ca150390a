use super::*;

const CLOSED: [&str; 57] = [
    "https://127.0.0.1/",
    "https://127.0.0.1:8443/x",
    "https://127.1/",
    "https://127.255.255.254/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://127.0x0.0.01/",
    "https://１２７.０.０.１/",
    "https://127。0。0。1/",
    "https://%31%32%37.0.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://10.1/",
    "https://100.64.0.1/",
    "https://100.100.100.200/latest/meta-data/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://168.63.129.16/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.0.0.1/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://192.168.1.1/",
    "https://198.18.0.1/",
    "https://198.19.255.255/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::a00:1]/",
    "https://[100::1]/",
    "https://[2001::1]/",
    "https://[2001:db8::1]/",
    "https://[2002:7f00:1::]/",
    "https://[3fff::1]/",
    "https://[5f00::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
];

fn judged(guard: &Guard, url: &str) -> Result<(), Refusal> {
    guard.judge(&Url::parse(url).unwrap())
}

#[test]
fn no_spelling_of_a_closed_address_gets_through() {
    let guard = Guard::default();
    for url in CLOSED {
        assert!(matches!(judged(&guard, url), Err(Refusal::Private { .. })), "{url}");
    }
}

#[test]
fn what_is_no_plain_https_url_is_refused() {
    let guard = Guard::default();
    assert_eq!(judged(&guard, "ftp://example.org/"), Err(Refusal::Scheme("ftp".to_owned())));
    assert_eq!(judged(&guard, "file:///etc/passwd"), Err(Refusal::Scheme("file".to_owned())));
    assert_eq!(judged(&guard, "gopher://x/"), Err(Refusal::Scheme("gopher".to_owned())));
    assert_eq!(judged(&guard, "https://user@example.org/"), Err(Refusal::UserInfo));
    assert_eq!(judged(&guard, "https://:secret@example.org/"), Err(Refusal::UserInfo));
    assert_eq!(judged(&guard, "https://example.org@127.0.0.1/"), Err(Refusal::UserInfo));
    assert_eq!(judged(&guard, "http://1.1.1.1/"), Err(Refusal::Plain("1.1.1.1".to_owned())));
}

#[test]
fn the_public_internet_is_open_over_https() {
    for url in ["https://1.1.1.1/", "https://[2606:4700::1111]/", "https://hooks.example.org/in"] {
        assert_eq!(judged(&Guard::default(), url), Ok(()), "{url}");
    }
}

#[test]
fn an_allowed_network_is_open_also_over_plain_http_and_in_any_spelling() {
    let guard = Guard::new(&["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()]);
    for url in
        ["http://10.1.2.3/", "https://10.1.2.3/", "http://[fd00::1]/", "http://[::ffff:10.1.2.3]/"]
    {
        assert_eq!(judged(&guard, url), Ok(()), "{url}");
    }
    assert!(matches!(judged(&guard, "http://10.2.0.1/"), Err(Refusal::Private { .. })));
}

#[test]
fn of_a_names_addresses_only_the_permitted_are_used() {
    let guard = Guard::new(&["10.1.0.0/16".parse().unwrap()]);
    let all = ["127.0.0.1:0", "1.1.1.1:0", "10.1.0.1:0", "[::ffff:10.0.0.1]:0", "[::1]:0"];
    let all = all.map(|address| address.parse::<SocketAddr>().unwrap());
    let sifted = guard.sift("mixed.test", false, all.into_iter()).unwrap();
    assert_eq!(sifted, [all[1], all[2]]);
    assert_eq!(guard.sift("mixed.test", true, all.into_iter()).unwrap(), [all[2]]);
    let private = Refusal::Private { host: "rebound.test".to_owned(), range: "the loopback range" };
    assert_eq!(guard.sift("rebound.test", false, all[..1].iter().copied()), Err(private));
}
