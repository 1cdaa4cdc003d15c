//! How values stand in the database: enumerations as the words of the API, times as text that sorts.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::VaultError;

/// The word of an enumeration's value.
pub(crate) fn word<T: Serialize>(value: T) -> Result<String, VaultError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(VaultError::Unreadable { what: "a word" }),
    }
}

/// The word of a value that may be absent.
pub(super) fn optional_word<T: Serialize>(value: Option<T>) -> Result<Option<String>, VaultError> {
    value.map(word).transpose()
}

/// The value that a word stands for.
pub(super) fn value<T: DeserializeOwned>(word: &str) -> Result<T, VaultError> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .map_err(|_| VaultError::Unreadable { what: "a word" })
}

/// The value of a word that may be absent.
pub(super) fn optional_value<T: DeserializeOwned>(
    word: Option<&str>,
) -> Result<Option<T>, VaultError> {
    word.map(value).transpose()
}

/// A time as text: always nine decimals, so that text order is time order and nothing is lost.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.9}")
}

/// The time that a text stands for.
pub(super) fn parse_time(text: &str) -> Result<Timestamp, VaultError> {
    text.parse()
        .map_err(|_| VaultError::Unreadable { what: "a time" })
}

/// The time of a text that may be absent.
pub(super) fn parse_optional_time(text: Option<&str>) -> Result<Option<Timestamp>, VaultError> {
    text.map(parse_time).transpose()
}

/// The day of a text that may be absent.
pub(super) fn parse_optional_day(text: Option<&str>) -> Result<Option<Date>, VaultError> {
    let parse = |text: &str| text.parse().ok();
    text.map(|text| parse(text).ok_or(VaultError::Unreadable { what: "a day" }))
        .transpose()
}

/// The id that a text stands for.
pub(super) fn id(text: &str) -> Result<Uuid, VaultError> {
    text.parse()
        .map_err(|_| VaultError::Unreadable { what: "an id" })
}

/// A version or count, which the database keeps as a signed number.
pub(super) fn unsigned(number: i64) -> Result<u64, VaultError> {
    u64::try_from(number).map_err(|_| VaultError::Unreadable { what: "a number" })
}

/// A number of things.
pub(super) fn count(number: i64) -> Result<u32, VaultError> {
    u32::try_from(number).map_err(|_| VaultError::Unreadable { what: "a count" })
}

/// A version as the database keeps it.
pub(super) fn signed(number: u64) -> Result<i64, VaultError> {
    i64::try_from(number).map_err(|_| VaultError::refused("the version is out of range"))
}

/// A structure that is only ever read and written whole.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, VaultError> {
    serde_json::to_string(value).map_err(|_| VaultError::Unreadable { what: "JSON" })
}

/// The structure that a JSON text stands for.
pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, VaultError> {
    serde_json::from_str(text).map_err(|_| VaultError::Unreadable { what: "JSON" })
}

#[cfg(test)]
mod tests {
    use passportal_client::wire::SyncMode;

    use super::*;

    #[test]
    fn times_sort_as_text_and_come_back_whole() {
        let early: Timestamp = "2025-01-02T03:04:05Z".parse().unwrap();
        let late: Timestamp = "2025-01-02T03:04:05.000000001Z".parse().unwrap();

        assert!(time(early) < time(late));
        assert_eq!(parse_time(&time(late)).unwrap(), late);
    }

    #[test]
    fn words_are_those_of_the_api() {
        assert_eq!(
            word(SyncMode::ReportMismatches).unwrap(),
            "report_mismatches"
        );
        assert_eq!(value::<SyncMode>("off").unwrap(), SyncMode::Off);
    }
}
