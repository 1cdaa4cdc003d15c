//! Hides the length of a text in steps of 64 bytes.

use zeroize::Zeroizing;

use super::EnvelopeError;

const STEP: usize = 64;
const LENGTH_BYTES: usize = size_of::<u32>();

/// Length, text, zeros. Leaves room for `reserve` more bytes, so that a cipher's tag does not
/// move the clear text to another place in memory.
pub(super) fn pad(clear: &str, reserve: usize) -> Zeroizing<Vec<u8>> {
    let padded = (LENGTH_BYTES + clear.len()).next_multiple_of(STEP);
    let length = u32::try_from(clear.len()).unwrap_or(u32::MAX);
    let mut block = Zeroizing::new(Vec::with_capacity(padded + reserve));
    block.extend_from_slice(&length.to_be_bytes());
    block.extend_from_slice(clear.as_bytes());
    block.resize(padded, 0);
    block
}

/// The text of a padded block.
pub(super) fn unpad(block: &[u8]) -> Result<&str, EnvelopeError> {
    let (length, rest) = block
        .split_first_chunk::<LENGTH_BYTES>()
        .ok_or(EnvelopeError::Malformed)?;
    let length =
        usize::try_from(u32::from_be_bytes(*length)).map_err(|_| EnvelopeError::Malformed)?;
    let text = rest.get(..length).ok_or(EnvelopeError::Malformed)?;
    std::str::from_utf8(text).map_err(|_| EnvelopeError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_nearby_lengths_take_the_same_space() {
        for (length, space) in [(0, 64), (8, 64), (60, 64), (61, 128), (256, 320)] {
            assert_eq!(pad(&"x".repeat(length), 16).len(), space, "{length}");
        }
    }

    #[test]
    fn a_block_whose_length_lies_is_refused() {
        let mut block = pad("abc", 0);
        block[3] = 200;
        assert_eq!(unpad(&block), Err(EnvelopeError::Malformed));
        assert_eq!(unpad(&[0, 0]), Err(EnvelopeError::Malformed));
    }
}
