//! Spans of time as people write them: `45s`, `24h`, `7d`.

use std::fmt;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A span of time in the configuration; a day has 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written(pub(super) Duration);

const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];

impl Written {
    fn parse(text: &str) -> Option<Self> {
        let span: Span = text.parse().ok()?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        Duration::try_from(duration).ok().map(Self)
    }
}

impl fmt::Display for Written {
    /// The largest unit that says it exactly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match self.0.subsec_nanos() {
            0 => {}
            nanos if nanos % 1_000_000 == 0 => return write!(f, "{}ms", self.0.as_millis()),
            _ => return write!(f, "{}ns", self.0.as_nanos()),
        }
        let exact = UNITS
            .iter()
            .find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
        let (unit, name) = exact.copied().unwrap_or((1, "s"));
        write!(f, "{}{name}", seconds / unit)
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is not a span of time such as \"45s\", \"24h\" or \"7d\""
            ))
        })
    }
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood_and_written_back_alike() {
        for (text, seconds) in [
            ("45s", 45),
            ("24h", 86_400),
            ("7d", 604_800),
            ("90m", 5_400),
        ] {
            let written = Written::parse(text).unwrap();
            assert_eq!(written.0, Duration::from_secs(seconds));
            assert_eq!(Written::parse(&written.to_string()), Some(written));
        }
        let fine = Written(Duration::from_micros(1_000_001));
        assert_eq!(Written::parse(&fine.to_string()), Some(fine));
        assert_eq!(Written(Duration::from_millis(1_500)).to_string(), "1500ms");
        assert_eq!(Written(Duration::ZERO).to_string(), "0s");
        assert_eq!(Written(Duration::from_mins(90)).to_string(), "90m");
    }

    #[test]
    fn a_bare_number_a_month_and_the_past_are_no_span_of_time() {
        for text in ["", "45", "1mo", "1y", "-5s", "5 parsecs", "s"] {
            assert_eq!(Written::parse(text), None, "{text}");
        }
    }
}
