//! The last plan that was made of everything, as far as others may follow from it: kept
//! beside the answers, and found by the request alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::document::Outline;
use super::memo::{store_sealed, unsealed};
use super::planned::Given;
use super::rows::Row;
use crate::git::{Fingerprint, Probes, Stamp};
use crate::plan::{IndexPackage, MainPackage, ModuleEntry, Other, TestPackage, Warning};

/// What a plan leaves to those that follow from it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Last {
    /// The state of the repository but for the contents of tracked Go files.
    rest: [u8; 32],
    /// What was read of the working tree besides Go files.
    pub(super) probes: Probes,
    /// The plan directory and the hash that each of its files has in it.
    pub(super) directory: PathBuf,
    pub(super) files: Vec<(String, String)>,
    /// How large the ledger was when all of it had been looked at.
    pub(super) ledger: usize,
    pub(super) given: Given,
    rows: Vec<Row>,
    packages: Vec<IndexPackage>,
    /// The rest of the outline, JSON: it leaves out what says nothing.
    said: String,
}

/// What else the outline says.
#[derive(Serialize, Deserialize)]
struct Said {
    main: String,
    modules: Vec<ModuleEntry>,
    mains: Vec<MainPackage>,
    tests: Vec<TestPackage>,
    other: Vec<Other>,
    warnings: Vec<Warning>,
}

/// A plan that was just written.
pub(super) struct Made<'a> {
    pub(super) directory: &'a Path,
    pub(super) files: Vec<(String, String)>,
    pub(super) probes: Probes,
    pub(super) ledger: usize,
    pub(super) given: Given,
}

impl Last {
    /// The last plan, where nothing but the contents of tracked Go files has changed, and
    /// what `look` makes of the stat data that these had.
    pub(super) fn read<T>(
        path: &Path,
        now: &Fingerprint,
        look: impl FnOnce(&[Stamp]) -> Option<T>,
    ) -> Option<(Self, T)> {
        let bytes = fs::read(path).ok()?;
        let bytes = unsealed(&bytes)?;
        let (stamps, bytes) = bytes.split_at_checked(size_of_val(now.files.as_slice()))?;
        let (count, bytes) = bytes.split_first_chunk()?;
        if usize::try_from(u64::from_le_bytes(*count)) != Ok(now.files.len()) {
            return None;
        }
        // It stands in front.
        if !bytes.starts_with(&now.rest) {
            return None;
        }
        let looked = look(stamps.as_chunks().0)?;
        let last = postcard::from_bytes(bytes).ok()?;
        // What is used is not trimmed by age.
        if let Ok(file) = fs::File::options().append(true).open(path) {
            let _ = file.set_modified(SystemTime::now());
        }
        Some((last, looked))
    }

    /// Keeps a plan. That it cannot be kept is no failure.
    pub(super) fn keep(path: &Path, now: &Fingerprint, outline: Outline, made: Made<'_>) {
        let said = Said {
            main: outline.main,
            modules: outline.modules,
            mains: outline.mains,
            tests: outline.tests,
            other: outline.other,
            warnings: outline.warnings,
        };
        let last = Self {
            rest: now.rest,
            probes: made.probes,
            directory: made.directory.to_owned(),
            files: made.files,
            ledger: made.ledger,
            given: made.given,
            rows: outline.rows,
            packages: outline.packages,
            said: serde_json::to_string(&said).unwrap_or_default(),
        };
        // All of it can be written.
        let rest = postcard::to_stdvec(&last).unwrap_or_default();
        let count = (now.files.len() as u64).to_le_bytes();
        let bytes = [now.files.as_flattened(), &count, &rest].concat();
        store_sealed(path, &bytes);
    }

    /// The outline of the plan.
    pub(super) fn outline(&mut self) -> Option<Outline> {
        let said: Said = serde_json::from_str(&self.said).ok()?;
        Some(Outline {
            main: said.main,
            modules: said.modules,
            // Named anew.
            content_hash: String::new(),
            rows: std::mem::take(&mut self.rows),
            packages: std::mem::take(&mut self.packages),
            mains: said.mains,
            tests: said.tests,
            other: said.other,
            warnings: said.warnings,
            // A tree with marks is planned as a whole.
            marked: false,
        })
    }
}
