//! The operation of this crate at the ABI: JSON in, JSON out.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::compile::{Side, Stop, compile};
use crate::describe::describe;
use crate::error::{Error, Result};
use crate::finding::{Finding, Findings};
use crate::roots::{self, Root};
use crate::rules::{self, table};

/// The head that all requests share.
#[derive(Deserialize)]
struct Head {
    op: String,
}

/// The request of `protobuf`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    format: u32,
    #[expect(dead_code, reason = "read before, by the head")]
    op: String,
    /// The directories that are compared, each for itself.
    roots: Vec<String>,
    /// Further directories in which imports are looked for.
    #[serde(default)]
    imports: Vec<String>,
    /// Globs of imports that may be missing.
    #[serde(default)]
    absent: Vec<String>,
    /// Groups of rules, and rules.
    rules: Vec<String>,
    files: Vec<File>,
    #[serde(default, rename = "controlFd")]
    _control: Option<i32>,
    #[serde(default, rename = "progressFd")]
    _progress: Option<i32>,
}

/// A `.proto` file of both sides, as the operation `files` gives it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    path: String,
    base: Option<String>,
    release: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    format: u32,
    /// The rules that were asked for.
    rules: Vec<&'static str>,
    roots: Vec<Compared>,
}

/// What was found in one directory.
#[derive(Serialize)]
struct Compared {
    root: String,
    /// How many files are compared of each side.
    base: usize,
    release: usize,
    findings: Vec<Finding>,
}

/// Runs a request of this crate and gives its answer, `{"result":…}` or `{"error":…}`;
/// none where the operation is not one of this crate's.
#[must_use]
pub fn run(request: &[u8], stop: Stop<'_>) -> Option<Vec<u8>> {
    let head: Head = serde_json::from_slice(request).ok()?;
    if head.op != "protobuf" {
        return None;
    }
    let result = read(request).and_then(|request| compare(&request, stop));
    let result = result.and_then(|answer| {
        serde_json::to_vec(&answer)
            .map_err(|e| Error::new("internal", "the answer cannot be written").cause(e))
    });
    Some(match result {
        Ok(result) => [b"{\"result\":", result.as_slice(), b"}"].concat(),
        Err(error) => json!({ "error": error }).to_string().into_bytes(),
    })
}

fn read(request: &[u8]) -> Result<Request> {
    let request: Request = serde_json::from_slice(request)
        .map_err(|e| Error::new("bad_request", "the request cannot be read").cause(e))?;
    if request.format != 1 {
        let what = format!("request format {} is not 1", request.format);
        return Err(Error::new("bad_request", what).hint("rebuild with the same goat"));
    }
    Ok(request)
}

fn compare(request: &Request, stop: Stop<'_>) -> Result<Answer> {
    let rules = table::select(&request.rules)?;
    let absent = globs(&request.absent)?;
    let files: Vec<&File> = request.files.iter().collect();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let compared = roots::expand(&request.roots, &paths, true)?;
    let imports = roots::expand(&request.imports, &paths, false)?;
    let search: Vec<Root> = compared.iter().chain(&imports).cloned().collect();
    let side = |name, text: fn(&File) -> Option<&str>| Side {
        name,
        texts: files
            .iter()
            .filter_map(|file| Some((file.path.as_str(), text(file)?)))
            .collect::<BTreeMap<&str, &str>>(),
        search: &search,
        compared: compared.len(),
        absent: &absent,
    };
    let base = side("base", |file| file.base.as_deref());
    let release = side("release", |file| file.release.as_deref());
    let mut answer = Answer {
        format: 1,
        rules: rules.iter().map(|rule| rule.name).collect(),
        roots: Vec::new(),
    };
    for root in &compared {
        let old = describe(&compile(&base, root, stop)?);
        let new = describe(&compile(&release, root, stop)?);
        let mut found = Findings::new(&rules);
        rules::compare(&old, &new, &mut found);
        answer.roots.push(Compared {
            root: root.said(),
            base: old.files.len(),
            release: new.files.len(),
            findings: found.sorted(),
        });
    }
    Ok(answer)
}

fn globs(patterns: &[String]) -> Result<GlobSet> {
    let bad = |cause: globset::Error| {
        Error::new("bad_request", "a pattern of missing imports cannot be read")
            .hint("write an import path with globs, as google/api/*.proto or gogoproto/**")
            .cause(cause)
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        set.add(glob.map_err(bad)?);
    }
    set.build().map_err(bad)
}
