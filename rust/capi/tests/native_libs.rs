//! What the static library needs from the system is what the cgo file names, and the
//! profiles keep panics catchable.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// `-l` words of a line.
fn libraries(line: &str) -> BTreeSet<String> {
    line.split_whitespace()
        .filter(|word| word.starts_with("-l"))
        .map(str::to_string)
        .collect()
}

/// Named by rustc, but not needed: libc comes with every link, `libgcc_s` does not exist
/// as a static library and its unwinder comes from `libgcc_eh` where cgo links it.
const IMPLIED: [&str; 2] = ["-lc", "-lgcc_s"];

#[test]
#[cfg(target_os = "linux")]
fn cgo_names_the_libraries_that_rustc_names() {
    // cargo replays what rustc printed when there is nothing to compile.
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "rustc",
            "--locked",
            "--quiet",
            "--package",
            "goat-capi",
            "--lib",
        ])
        .args([
            "--crate-type",
            "staticlib",
            "--",
            "--print",
            "native-static-libs",
        ])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let line = stderr
        .lines()
        .find(|line| line.contains("native-static-libs:"))
        .unwrap_or_default();
    let mut needed = libraries(line);
    assert!(!needed.is_empty(), "rustc named no libraries: {stderr}");
    for name in IMPLIED {
        needed.remove(name);
    }
    assert!(
        !needed.contains("-lz"),
        "libgit2 must bring its own zlib: {needed:?}"
    );

    let cgo = fs::read_to_string(root().join("go/internal/native/link.go")).unwrap();
    let line = cgo
        .lines()
        .find(|line| line.starts_with("// #cgo linux LDFLAGS:"))
        .unwrap();
    let mut named = libraries(line);
    assert!(named.remove("-lgoat"));
    assert_eq!(named, needed, "the #cgo line and rustc disagree");
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
