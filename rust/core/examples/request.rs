//! Runs one request from standard input: `echo '{"format":1,"op":"version"}' | …`.

use std::io::{Read, Write};

fn main() -> std::io::Result<()> {
    let mut request = Vec::new();
    std::io::stdin().read_to_end(&mut request)?;
    let answer = goat_core::run(&request, &goat_core::Control::new());
    std::io::stdout().write_all(&answer)
}
