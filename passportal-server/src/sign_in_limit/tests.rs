use super::*;

const HERE: Source<'_> = Source::Address(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
const ADA: &str = "ada@msp.example";

fn there(number: u32) -> Source<'static> {
    Source::Address(IpAddr::V4((0x0a00_0000 + number).into()))
}

#[test]
fn the_sixth_wrong_sign_in_is_refused_until_the_window_ends() {
    let limit = SignInLimit::default();
    let now = Instant::now();
    for _ in 0..5 {
        let _attempt = limit.begin_at("Ada@msp.example", HERE, now).unwrap();
    }
    assert!(limit.begin_at(ADA, HERE, now).is_err());
    assert!(limit.begin_at(ADA, there(1), now).is_ok());
    assert!(limit.begin_at(ADA, HERE, now + WINDOW).is_ok());
}

#[test]
fn a_flood_of_names_does_not_free_an_account_that_was_tried_just_now() {
    let limit = SignInLimit::default();
    let start = Instant::now();
    for n in 0..10_000 {
        let _ = limit.begin_at(&format!("flood-{n}"), there(n), start);
    }
    let now = start + Duration::from_secs(1);
    for _ in 0..5 {
        let _attempt = limit.begin_at(ADA, HERE, now).unwrap();
    }
    for n in 0..1000 {
        let _ = limit.begin_at(&format!("more-{n}"), there(n), now);
    }
    assert!(limit.begin_at(ADA, HERE, now).is_err());
    assert!(limit.counts.lock().unwrap().wrong.len() <= REMEMBERED);
}

#[test]
fn a_right_sign_in_begins_anew() {
    let limit = SignInLimit::default();
    for _ in 0..100 {
        limit.begin(ADA, HERE).unwrap().succeeded();
    }
}

#[test]
fn a_thousand_wrong_guesses_from_elsewhere_do_not_refuse_the_owner() {
    let limit = SignInLimit::default();
    for n in 0..1000 {
        let _ = limit.begin(ADA, there(n));
        let _ = limit.begin_code(ADA, there(n));
    }
    limit.begin(ADA, HERE).unwrap().succeeded();
    limit.begin_code(ADA, HERE).unwrap().succeeded();
}

#[test]
fn wrong_guesses_at_the_owners_own_address_do_not_refuse_their_browser() {
    let limit = SignInLimit::default();
    let browser = TokenHash::of("the browser's token");
    for n in 0..1000 {
        let _ = limit.begin(ADA, HERE);
        let _ = limit.begin(&format!("name-{n}"), HERE);
    }
    assert!(limit.begin(ADA, HERE).is_err());
    assert!(limit.begin(ADA, Source::Known(&browser)).is_ok());
}

#[test]
fn a_network_that_tries_many_accounts_is_refused_but_for_those_who_signed_in_from_it() {
    let limit = SignInLimit::default();
    limit.begin(ADA, HERE).unwrap().succeeded();
    let tried = (0..1000).filter(|n| limit.begin(&format!("name-{n}"), HERE).is_ok());
    assert_eq!(tried.count(), 50);
    assert!(limit.begin("ben@msp.example", HERE).is_err());
    assert!(limit.begin(ADA, HERE).is_ok());
    assert!(limit.begin("ben@msp.example", there(1)).is_ok());
}

#[test]
fn codes_of_one_account_are_counted_over_all_unknown_places() {
    let limit = SignInLimit::default();
    let now = Instant::now();
    limit.begin_at(ADA, HERE, now).unwrap().succeeded();
    let tried = (0..1000).filter(|n| limit.begin_code_at(ADA, there(*n), now).is_ok());
    assert_eq!(tried.count(), 10);
    assert!(limit.begin_code_at(ADA, HERE, now).is_ok());
    assert!(limit.begin_recovery_code(ADA, there(5000)).is_ok());
    let later = now + CODES_WINDOW;
    assert!(limit.begin_code_at(ADA, there(5000), later).is_ok());
}

#[test]
fn whoever_only_knows_the_password_does_not_make_a_place_known() {
    let limit = SignInLimit::default();
    limit.begin(ADA, HERE).unwrap().passed();
    for n in 0..10 {
        let _wrong = limit.begin_code(ADA, there(n)).unwrap();
    }
    assert!(limit.begin_code(ADA, HERE).is_err());
}

#[test]
fn addresses_of_one_ipv6_network_count_as_one() {
    let limit = SignInLimit::default();
    let at = |text: &str| Source::Address(text.parse().unwrap());
    for n in 0..5 {
        let _wrong = limit.begin(ADA, at(&format!("2001:db8::{n}"))).unwrap();
    }
    assert!(limit.begin(ADA, at("2001:db8::ffff")).is_err());
    assert!(limit.begin(ADA, at("2001:db8:0:1::")).is_ok());
    let mapped = at("::ffff:127.0.0.1");
    assert!(matches!((place(mapped), place(HERE)), (a, b) if a == b));
}

#[test]
fn the_ipv6_networks_of_one_site_are_counted_together() {
    let limit = SignInLimit::default();
    let at = |text: String| Source::Address(text.parse().unwrap());
    let tries = |site: &str| {
        let account = |n: u32| format!("{n}@msp.example");
        (0..1000)
            .filter(|n| {
                limit
                    .begin(&account(*n), at(format!("2001:db8:{site}:{n:x}::1")))
                    .is_ok()
            })
            .count()
    };
    assert_eq!(tries("1"), 200);
    assert_eq!(tries("2"), 200, "another site");
}
