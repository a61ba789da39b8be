//! What goat has to know of every Go file of the covered modules, changed or not:
//! its hash, its package, and what would collide with generated names.

mod embed;
mod header;

pub use embed::matches_pattern;
pub use header::{Header, is_generated, is_own, read_header};

use sha2::{Digest, Sha256};

/// One Go file of a covered module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoFile {
    /// Path relative to the repository's root.
    pub path: String,
    /// `sha256:` and 64 hex digits of its bytes.
    pub hash: String,
    /// What its head says.
    pub header: Header,
    /// Identifiers in it that look like goat's own.
    pub names: Vec<String>,
    /// Whether it declares a predeclared name that goat's own file needs.
    pub shadows: bool,
    /// Patterns of its `//go:embed` directives.
    pub embeds: Vec<String>,
}

impl GoFile {
    /// Looks at a file.
    #[must_use]
    pub fn read(path: &str, source: &[u8]) -> Self {
        Self {
            path: path.to_owned(),
            hash: format!("sha256:{}", hex_hash(source)),
            header: read_header(source),
            names: own_names(source),
            shadows: shadows(source),
            embeds: embed::patterns(source),
        }
    }

    /// Whether the go command takes it for a test.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.path.ends_with("_test.go")
    }
}

/// SHA-256 in hex.
#[must_use]
pub fn hex_hash(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Words that start with `goat_`, wherever they stand: generated names keep clear of
/// them all.
fn own_names(source: &[u8]) -> Vec<String> {
    let mut names: Vec<String> = memchr::memmem::find_iter(source, b"goat_")
        .map(|at| {
            let rest = &source[at..];
            let end = rest
                .iter()
                .position(|b| !(b.is_ascii_alphanumeric() || *b == b'_'));
            String::from_utf8_lossy(&rest[..end.unwrap_or(rest.len())]).into_owned()
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether a package-level declaration at a line's start takes one of these names.
fn shadows(source: &[u8]) -> bool {
    let declares = |keyword: &str, name: &str| {
        let needle = format!("\n{keyword} {name}");
        memchr::memmem::find_iter(source, needle.as_bytes()).any(|at| {
            let next = source.get(at + needle.len()).copied().unwrap_or(b' ');
            !(next.is_ascii_alphanumeric() || next == b'_')
        })
    };
    let keywords = ["type", "var", "const", "func"];
    ["uint32", "int", "nil"]
        .iter()
        .any(|name| keywords.iter().any(|k| declares(k, name)))
}
