//! What a captured answer and one of ours have in common.

use serde_json::Value;

/// `{placeholders}` in a captured text stand for anything without a space.
pub(crate) fn fits(captured: &str, ours: &str) -> bool {
    let mut rest = ours;
    let mut parts = captured.split('{');
    let first = parts.next().unwrap_or_default();
    let Some(after) = rest.strip_prefix(first) else {
        return false;
    };
    rest = after;
    for part in parts {
        let literal = part.split_once('}').map_or("", |(_, literal)| literal);
        let Some(at) = rest.find(literal) else {
            return false;
        };
        // A placeholder at the very end takes all that is left.
        rest = if literal.is_empty() {
            ""
        } else {
            &rest[at + literal.len()..]
        };
    }
    rest.is_empty()
}

/// The same keys, and the same values except where the capture has a placeholder.
pub(crate) fn assert_same_shape(captured: &Value, ours: &Value, at: &str) {
    match (captured, ours) {
        (Value::Object(captured), Value::Object(ours)) => {
            let keys =
                |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            let (mut left, mut right) = (keys(captured), keys(ours));
            left.sort();
            right.sort();
            assert_eq!(left, right, "keys at {at}");
            for (key, value) in captured {
                assert_same_shape(value, &ours[key], &format!("{at}.{key}"));
            }
        }
        (Value::String(text), Value::Number(_)) if text.starts_with('{') => {}
        (Value::String(text), Value::String(said)) => {
            // Trace ids and times are told in a format of their own.
            assert!(
                fits(text, said),
                "at {at}:\n  captured {text}\n  ours     {said}"
            );
        }
        (captured, ours) => assert_eq!(captured, ours, "at {at}"),
    }
}
