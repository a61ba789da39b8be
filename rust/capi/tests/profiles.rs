//! The profiles keep panics catchable and the library linkable beside another.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

#[test]
fn profiles_unwind() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    for profile in ["[profile.release]", "[profile.dev]"] {
        let section = manifest
            .split(profile)
            .nth(1)
            .unwrap()
            .split("\n[")
            .next()
            .unwrap();
        assert!(
            section.contains("panic = \"unwind\""),
            "{profile} must say how panics end"
        );
    }
    assert!(!manifest.contains("panic = \"abort\""));
    const { assert!(cfg!(panic = "unwind")) };
}

#[test]
fn no_fat_lto() {
    // Two Rust libraries with fat LTO clash on rust_eh_personality.
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("lto = true") && !manifest.contains("lto = \"fat\""));
}

#[test]
fn zlib_is_pinned() {
    let config = fs::read_to_string(root().join(".cargo/config.toml")).unwrap();
    assert!(config.contains("LIBZ_SYS_STATIC = \"1\""));
}
