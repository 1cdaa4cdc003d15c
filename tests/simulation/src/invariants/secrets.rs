//! No password leaves: every password of the simulation holds a mark, which is searched for in all
//! that the engine writes down or tells.

use serde::Serialize;

use super::Invariant;
use crate::world::{MARKER, World};

impl World {
    pub(super) fn check_secret(&mut self, what: &str, written: &impl Serialize) {
        match serde_json::to_string(written) {
            Ok(text) if !text.contains(MARKER) => {}
            Ok(_) => self.violate(Invariant::Secrets, format!("a {what} holds a password")),
            Err(error) => {
                let words = format!("a {what} cannot be written down: {error}");
                self.violate(Invariant::Secrets, words);
            }
        }
    }
}
