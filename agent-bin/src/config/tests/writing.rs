//! What setup writes loads as the same, and what is there stays.

use std::fs;

use super::{FULL, SMALL, file, load};
use crate::config::*;

#[test]
fn what_is_rendered_loads_as_the_same_configuration() {
    for text in [FULL, SMALL] {
        let config = load(text).unwrap();
        assert_eq!(load(&render(&config)).unwrap(), config);
    }
}

#[test]
fn a_name_with_quotes_and_line_breaks_survives_rendering() {
    let mut config = load(SMALL).unwrap();
    config.clients[0].name = "O'Neil \"& Söhne\"\\\n[state]".to_owned();
    assert_eq!(load(&render(&config)).unwrap(), config);
}

#[test]
fn a_client_is_added_at_the_end_and_the_rest_stays_as_it_was() {
    let commented = format!("# by hand\n{SMALL}\n[sync]\ninterval = \"50s\" # slower\n");
    let file = file(&commented);
    let client = load(FULL).unwrap().clients.remove(1);

    append_client(&file.path, &client).unwrap();

    assert!(
        fs::read_to_string(&file.path)
            .unwrap()
            .starts_with(commented.trim_end())
    );
    let config = Config::load(&file.path, [], Overrides::none()).unwrap();
    assert_eq!(config.clients.len(), 2);
    assert_eq!(config.clients[1], client);
}

#[test]
fn a_file_that_cannot_take_another_client_stays_as_it_was() {
    let text = "passportal.region = 'us'\nclient = []\n";
    let file = file(text);
    let client = load(SMALL).unwrap().clients.remove(0);

    assert!(append_client(&file.path, &client).is_err());

    assert_eq!(fs::read_to_string(&file.path).unwrap(), text);
}

#[test]
fn a_new_file_never_replaces_an_existing_one() {
    let file = file("# precious");
    let config = load(SMALL).unwrap();
    let error = write_new(&file.path, &config).unwrap_err();
    assert!(matches!(error, ConfigError::AlreadyThere { .. }));
    assert_eq!(fs::read_to_string(&file.path).unwrap(), "# precious");

    let fresh = file.path.with_file_name("fresh.toml");
    write_new(&fresh, &config).unwrap();
    assert_eq!(Config::load(&fresh, [], Overrides::none()).unwrap(), config);
}
