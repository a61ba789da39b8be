//! `include/goat.h` and its copy beside the cgo file are what the sources say.
//! `GOAT_UPDATE=1 cargo test --test header` writes both again.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use cbindgen::{Config, DocumentationStyle, EnumConfig, ExportConfig, Language, RenameRule, Style};

const CONTRACT: &str = include_str!("contract.h");

fn crate_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn root() -> PathBuf {
    crate_dir().join("../..").canonicalize().unwrap()
}

fn config() -> Config {
    let names = [("GoatBuffer", "goat_buffer"), ("GoatStatus", "goat_status")];
    Config {
        language: Language::C,
        header: Some(CONTRACT.trim_end().to_string()),
        include_guard: Some("GOAT_H".into()),
        cpp_compat: true,
        no_includes: true,
        sys_includes: vec!["stddef.h".into(), "stdint.h".into()],
        usize_is_size_t: true,
        documentation_style: DocumentationStyle::Doxy,
        style: Style::Type,
        line_length: 88,
        enumeration: EnumConfig {
            prefix_with_name: true,
            rename_variants: RenameRule::ScreamingSnakeCase,
            ..EnumConfig::default()
        },
        export: ExportConfig {
            rename: names
                .map(|(from, to)| (from.to_string(), to.to_string()))
                .into(),
            ..ExportConfig::default()
        },
        defines: HashMap::new(),
        ..Config::default()
    }
}

fn render() -> String {
    let source = |name: &str| crate_dir().join("src").join(name);
    let bindings = cbindgen::Builder::new()
        .with_config(config())
        .with_src(source("boundary.rs"))
        .with_src(source("buffer.rs"))
        .with_src(source("lib.rs"))
        .generate()
        .unwrap();
    let mut header = Vec::new();
    bindings.write(&mut header);
    let text = String::from_utf8(header).unwrap();
    // What Rust callers must promise stands in the contract, in C's words.
    without_safety_sections(&text)
}

/// Drops the `# Safety` section of each comment.
fn without_safety_sections(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut skipping = false;
    for line in text.lines() {
        if line.trim() == "* # Safety" {
            skipping = true;
            if lines.last().is_some_and(|last| last.trim() == "*") {
                lines.pop();
            }
        }
        if skipping && line.trim() == "*/" {
            skipping = false;
        }
        if !skipping {
            lines.push(line);
        }
    }
    lines.join("\n") + "\n"
}

fn check(path: &Path, expected: &str) {
    if env::var_os("GOAT_UPDATE").is_some_and(|value| value == "1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, expected).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is not what rust/capi says; run `make header` and commit the result",
        path.display()
    );
}

#[test]
fn header_is_up_to_date() {
    check(&root().join("include/goat.h"), &render());
}

#[test]
fn go_has_the_same_header() {
    // cgo reads no header outside its package, and a symlink does not survive a module zip.
    check(&root().join("go/internal/native/goat.h"), &render());
}

#[test]
fn rendering_is_deterministic() {
    assert_eq!(render(), render());
}

#[test]
fn no_other_functions_are_exported() {
    let header = render();
    let mut names: Vec<&str> = header
        .lines()
        .filter(|line| line.contains('(') && !line.starts_with([' ', '/', '#']))
        .filter_map(|line| line.split('(').next()?.rsplit([' ', '*']).next())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "goat_abi_v1",
            "goat_abi_version",
            "goat_buffer_free",
            "goat_run",
            "goat_toolexec",
            "goat_version"
        ]
    );
}
