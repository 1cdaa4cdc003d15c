//! Where a secret might leak to: a log that is kept in memory, and the files of a folder.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A log that is kept in memory.
#[derive(Clone, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// What was logged so far.
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Every file below the folder that holds one of the words.
///
/// # Errors
/// When the folder cannot be read.
pub fn files_with(folder: &Path, words: &[&str]) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files_with(&path, words)?);
        } else if let Ok(bytes) = std::fs::read(&path) {
            let holds = |word: &&&str| bytes.windows(word.len()).any(|it| it == word.as_bytes());
            let held = words.iter().filter(holds);
            found.extend(held.map(|word| format!("{word} in {}", path.display())));
        }
    }
    Ok(found)
}
