//! Prints docs/rules.md: `cargo run -p sync-engine --example rules > docs/rules.md`.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

mod document;

fn main() {
    print!("{}", document::rules());
}
