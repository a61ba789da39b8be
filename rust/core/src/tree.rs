//! What goat has to know of every Go file of the covered modules, changed or not:
//! its hash, its package, and what would collide with generated names.

mod constraint;
mod dormant;
mod embed;
mod header;

pub use constraint::{asked, either, taken_by};
pub use dormant::is_dormant;
pub use embed::matches_pattern;
pub use header::{Asks, Header, is_generated, is_own, read_header};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::token::{TokenKind, scan};

/// One Go file of a covered module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Whether a declaration at a line's start takes one of these names.
fn shadows(source: &[u8]) -> bool {
    const KEYWORDS: [&str; 4] = ["type", "var", "const", "func"];
    const NAMES: [&str; 4] = ["bool", "uint32", "int", "nil"];
    let suspect = memchr::memchr_iter(b'\n', source).any(|end| {
        let line = &source[end + 1..];
        let first = line.first().copied().unwrap_or_default();
        if !matches!(first, b't' | b'v' | b'c' | b'f') {
            return false;
        }
        let keyword = KEYWORDS.iter().find(|k| line.starts_with(k.as_bytes()));
        let name = keyword.and_then(|keyword| line[keyword.len()..].strip_prefix(b" "));
        name.is_some_and(|rest| NAMES.iter().any(|name| rest.starts_with(name.as_bytes())))
    });
    if !suspect {
        return false;
    }
    // It may be a comment, C before `import "C"` for example.
    let tokens = scan(source);
    tokens.windows(2).any(|pair| {
        let (keyword, name) = (pair[0].span.of(source), pair[1].span.of(source));
        let starts_line = pair[0]
            .span
            .start
            .checked_sub(1)
            .is_none_or(|at| source[at] == b'\n');
        starts_line
            && pair[0].kind == TokenKind::Keyword
            && KEYWORDS.iter().any(|k| k.as_bytes() == keyword)
            && NAMES.iter().any(|n| n.as_bytes() == name)
    })
}
