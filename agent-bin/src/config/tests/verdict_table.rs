//! The file that replaces the built-in verdict table.

use std::fs;

use super::{File, SMALL, file, load};
use crate::config::*;

/// A configuration whose verdict table is this file's.
fn with_verdict_table(name: &str, table: &str) -> (File, Config) {
    let file = file(SMALL);
    let path = file.path.with_file_name(name);
    fs::write(&path, table).unwrap();
    let over = Overrides::none().set("", "verification.verdict_table", path.display().to_string());
    let config = Config::load(&file.path, [], over).unwrap();
    (file, config)
}

#[test]
fn without_a_verdict_table_the_built_in_one_holds() {
    assert_eq!(load(SMALL).unwrap().verdict_table().unwrap(), None);
}

#[test]
fn a_verdict_table_is_read_from_its_file_and_a_broken_one_is_told_with_key_file_and_line() {
    let good = "source = \"a test\"\n[[code]]\ncode = 4711\nname = \"New\"\nverdict = \"match\"\ncounted = false\n";
    let (_file, config) = with_verdict_table("good.toml", good);
    let table = config.verdict_table().unwrap().unwrap();
    assert_eq!(table.rulings().count(), 1);

    let broken = good.replace("\"match\"", "\"mismatch\"");
    let (_file, config) = with_verdict_table("broken.toml", &broken);
    let error = config.verdict_table().unwrap_err();
    let told = crate::causes::chain(&error);
    assert!(
        told.starts_with("verification.verdict_table cannot be used: "),
        "{told}"
    );
    assert!(told.contains("broken.toml:3: code 4711"), "{told}");
    assert!(error.hint().contains("counted = true"), "{}", error.hint());
}
