//! The document of one package with points (`p/<H16>.json`).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::Edit;

/// An insertion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditEntry {
    /// Offset of the original byte to insert before.
    pub at: usize,
    /// What to insert.
    pub text: String,
    /// What to insert where only exact points are right, if it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<String>,
    /// What to insert instead of `text` where the build can make it free, if it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free: Option<String>,
    /// What to insert where only exact points are right and the build can make them
    /// free, if it is not what `free`, `exact` and `text` give, in this order.
    #[serde(default, rename = "freeExact", skip_serializing_if = "Option::is_none")]
    pub free_exact: Option<String>,
}

impl From<Edit> for EditEntry {
    fn from(edit: Edit) -> Self {
        Self {
            at: edit.at,
            text: edit.text,
            exact: edit.exact,
            free: edit.free,
            free_exact: edit.free_exact,
        }
    }
}

impl From<EditEntry> for Edit {
    fn from(edit: EditEntry) -> Self {
        Self {
            at: edit.at,
            text: edit.text,
            exact: edit.exact,
            free: edit.free,
            free_exact: edit.free_exact,
        }
    }
}

/// A file with points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Base name.
    pub name: String,
    /// `sha256:` and the hash of the original's bytes.
    pub hash: String,
    /// Ascending by offset.
    pub edits: Vec<EditEntry>,
}

/// A whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextFile {
    /// Base name.
    pub name: String,
    /// Content.
    pub text: String,
}

/// A point, flat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackagePoint {
    /// Content id.
    pub id: String,
    /// Display name in documents that an earlier goat wrote; nobody reads it.
    #[serde(default, skip_serializing)]
    pub name: String,
    /// Kind.
    pub kind: String,
    /// Form.
    pub form: String,
    /// File, relative to the repository's root.
    pub file: String,
    /// Function around it.
    pub func: String,
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// One past the last column.
    pub end_column: u32,
}

/// `p/<H16>.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackageDocument {
    /// Format number.
    pub format: u32,
    /// The hash that a document in a plan directory has in front; who read it has looked.
    #[serde(default, skip_serializing)]
    pub sum: String,
    /// Import path.
    pub import_path: String,
    /// Directory.
    pub dir: String,
    /// Package name.
    pub name: String,
    /// Identifies the instrumented source.
    pub marker: String,
    /// Accessor function.
    pub symbol: String,
    /// Number of counters.
    pub counters: usize,
    /// The variable by which a build makes the `free` texts free.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub free: String,
    /// Files with points, by base name.
    pub files: Vec<FileEntry>,
    /// The file that is added.
    pub added: TextFile,
    /// The file that is added to a degraded package.
    pub stub: TextFile,
    /// The points, in counter order.
    pub points: Vec<PackagePoint>,
}

/// The marker: a hash over what is compiled, and nothing else. Display names and
/// positions of points are left out, so that an edit elsewhere in the repository
/// recompiles no package whose source is the same. `added` is the added file's text
/// with an empty marker.
#[must_use]
pub fn marker(import_path: &str, files: &[FileEntry], added: &str) -> String {
    let mut hash = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    field(import_path.as_bytes());
    field(added.as_bytes());
    for file in files {
        field(file.name.as_bytes());
        field(file.hash.as_bytes());
        for edit in &file.edits {
            field(&(edit.at as u64).to_le_bytes());
            field(edit.text.as_bytes());
            for other in [&edit.exact, &edit.free, &edit.free_exact] {
                field(other.as_deref().unwrap_or_default().as_bytes());
            }
        }
    }
    data_encoding::HEXLOWER.encode(&hash.finalize()[..8])
}
