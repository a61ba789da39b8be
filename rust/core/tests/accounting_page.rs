//! docs/accounting.md and the code name the same reasons: a reason without its
//! section, or a section without its reason, fails here.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(path),
    )
    .unwrap()
}

#[test]
fn every_reason_has_its_section() {
    let page: BTreeSet<String> = read("docs/accounting.md")
        .lines()
        .filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'))
        .map(str::to_owned)
        .collect();
    let model = read("rust/core/src/model.rs");
    let (_, body) = model.split_once("impl Reason {").unwrap();
    let (body, _) = body.split_once("\n}\n").unwrap();
    let code: BTreeSet<String> = body
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => \""))
        .filter_map(|(_, word)| word.strip_suffix("\","))
        .map(str::to_owned)
        .collect();
    assert!(code.len() > 20, "reasons not found in model.rs: {code:?}");
    assert_eq!(page, code);
}
