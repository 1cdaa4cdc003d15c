//! The program that somebody signs in with, in a few words, so that they recognise it in the list of their sessions.

use axum::http::{HeaderMap, header};

/// The longest name that is kept of a program that is not known.
const LONGEST: usize = 40;

/// Looked for in this order: most browsers also call themselves what they are like.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Safari/", "Safari"),
];

const SYSTEMS: [(&str, &str); 6] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// The caller's program; empty where it does not say.
pub(crate) fn program(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT);
    let agent = agent.and_then(|value| value.to_str().ok());
    in_short(agent.unwrap_or_default())
}

fn in_short(agent: &str) -> String {
    let named = |names: &[(&str, &'static str)]| {
        let found = names.iter().find(|(sign, _)| agent.contains(sign));
        found.map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => {
            let product = agent.split_whitespace().next().unwrap_or_default();
            product.chars().take(LONGEST).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_named_in_short() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0";
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
        for (agent, name) in [
            (firefox, "Firefox on Linux"),
            (edge, "Edge on Windows"),
            (phone, "Safari on iPhone"),
            ("passportal-sync/0.1.0", "passportal-sync/0.1.0"),
            ("", ""),
        ] {
            assert_eq!(in_short(agent), name);
        }
        assert_eq!(in_short(&"x".repeat(1000)).len(), LONGEST);
    }
}
