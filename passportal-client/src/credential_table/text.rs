//! The bytes of a file as text, and what separates its columns.

use zeroize::Zeroizing;

use super::TableError;

/// Decodes UTF-8 with or without a byte-order mark, or UTF-16 with one.
pub(super) fn decode(bytes: &[u8]) -> Result<Zeroizing<String>, TableError> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest)?,
        _ => utf8(bytes)?,
    };
    if text.contains('\0') {
        return Err(TableError::NotText);
    }
    Ok(text)
}

fn utf8(bytes: &[u8]) -> Result<Zeroizing<String>, TableError> {
    let text = std::str::from_utf8(bytes).map_err(|_| TableError::NotText)?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Zeroizing<String>, TableError> {
    let (units, []) = bytes.as_chunks::<2>() else {
        return Err(TableError::NotText);
    };
    let units = units.iter().map(|pair| unit(*pair));
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for letter in char::decode_utf16(units) {
        text.push(letter.map_err(|_| TableError::NotText)?);
    }
    Ok(text)
}

/// What separates the columns, by the header: the one of comma, semicolon and tab that it has most of.
pub(super) fn separator(text: &str) -> u8 {
    let mut is_quoted = false;
    let mut counts = [(b',', 0_u32), (b';', 0), (b'\t', 0)];
    for byte in text.bytes() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' | b'\r' if !is_quoted => break,
            _ if !is_quoted => {
                for (separator, count) in &mut counts {
                    *count += u32::from(*separator == byte);
                }
            }
            _ => {}
        }
    }
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    most.map_or(b',', |(separator, _)| *separator)
}
