//! No secret stands in the configuration, and none is repeated.

use super::{SMALL, load, load_with};

#[test]
fn a_proxy_s_password_stands_in_a_file_and_nowhere_else() {
    for (keys, problem) in [
        (
            "url = \"http://anna:canary@proxy.example\"",
            "proxy.url: there is a user name or password in it",
        ),
        (
            "url = \"ftp://proxy.example\"",
            "proxy.url: not the address of a proxy",
        ),
        (
            "url = \"http://proxy.example/path\"",
            "proxy.url: there is more than an address in it",
        ),
        (
            "url = \"http://proxy.example\"\nusername = \"anna\"",
            "proxy.password_file: missing",
        ),
        (
            "url = \"http://proxy.example\"\npassword_file = \"/run/x\"",
            "proxy.username: missing",
        ),
        (
            "username = \"anna\"\npassword_file = \"/run/x\"",
            "proxy.url: missing",
        ),
        ("password = \"canary\"", "proxy.password: unknown key"),
    ] {
        let error = load(&format!("{SMALL}\n[proxy]\n{keys}\n")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(problem), "{keys}: {text}");
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn a_secret_is_refused_without_being_repeated() {
    let cases = [
        (
            format!("{SMALL}[state]\nurl = 'postgres://me:hunter2@db/state'\n"),
            vec![],
        ),
        (
            "[passportal]\nbase_url = 'https://me:hunter2@vault'\n".to_owned(),
            vec![],
        ),
        ("[passportal]\npassword = 'hunter2'\n".to_owned(), vec![]),
        (SMALL.to_owned(), vec![("PASSPORTAL_PASSWORD", "hunter2")]),
        (
            SMALL.to_owned(),
            vec![("PASSPORTAL_CLIENT__0__MICROSOFT__CLIENT_SECRET", "hunter2")],
        ),
    ];
    for (text, variables) in cases {
        let error = load_with(&text, &variables).unwrap_err();
        let all = format!("{error} {error:?} {}", error.hint());
        assert!(!all.contains("hunter2"), "{all}");
    }
    let error = load("[passportal]\npassword = 'hunter2'\n").unwrap_err();
    assert!(
        error
            .hint()
            .starts_with("no secret stands in the configuration"),
        "{}",
        error.hint()
    );
}
