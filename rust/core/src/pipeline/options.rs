//! What a plan request may say.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Code, Error, Result};
use crate::git::read_file;
use crate::instrument::Forms;
use crate::model::Granularity;
use crate::modules::{GoMod, Ground, Workspace, inside, parse_mod, parse_work};
use crate::plan::{Build, Goat};

/// What goat.yaml adds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// Name in reports.
    pub app_name: String,
    /// Version in reports.
    pub app_version: String,
    /// Patterns in gitignore syntax, relative to the module.
    pub ignores: Vec<String>,
    /// Where the runtime package stands in the module; empty for `goat`.
    pub goat_package_path: String,
    /// Its name; empty for `goat`.
    pub goat_package_name: String,
    /// Its import alias; empty for `goat`.
    pub goat_package_alias: String,
    /// Leaves modules below the asked one out; `None` means true.
    pub skip_nested_modules: Option<bool>,
    /// `bool` (or empty) or `count`.
    pub data_type: String,
    /// `auto` (or empty), `off` or the path of a go.work.
    pub workspace: String,
    /// What stands for the module's go.mod (`-modfile`); empty for none.
    pub mod_file: String,
}

/// A module of the build whose version is not that of the base.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Dependency {
    /// Module path, as packages import it.
    pub path: String,
    /// Module path that takes its place in the release; empty for none.
    pub new_path: String,
    /// Version in the base.
    pub old_version: String,
    /// Version in the release.
    pub new_version: String,
    /// Where the files of the base's version lie.
    pub old_dir: String,
    /// Where those of the release's version lie.
    pub new_dir: String,
    /// Where the copy lies that is compiled; empty if that is `new_dir`.
    pub vendor_dir: String,
    /// Why it cannot be tracked; empty if it can.
    pub problem: String,
}

/// A plan request (contracts.md 7.15).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Options {
    /// Format number; [`crate::request`] has compared it.
    #[serde(default)]
    pub format: u32,
    /// The operation.
    #[serde(default)]
    pub op: String,
    /// Which goat asks; the plan says it was written by that one.
    #[serde(default)]
    pub goat: Goat,
    /// Any directory of a module inside a git repository.
    pub dir: String,
    /// What to compare with; empty for the default.
    #[serde(default)]
    pub base: String,
    /// What runs; empty for the working tree.
    #[serde(default)]
    pub release: String,
    /// `merge-base` (or empty) or `direct`.
    #[serde(default)]
    pub range: String,
    /// 1, 2 or 3.
    #[serde(default = "two")]
    pub precision: u8,
    /// `line`, `patch` (or empty), `scope` or `func`.
    #[serde(default)]
    pub granularity: String,
    /// Uses the exact form everywhere.
    #[serde(default)]
    pub exact: bool,
    /// What goat.yaml adds.
    #[serde(default)]
    pub config: Config,
    /// The build that the account is for.
    #[serde(default)]
    pub build: Option<Build>,
    /// The upgraded modules whose changed code is tracked too; `None` where nobody asked.
    #[serde(default)]
    pub deps: Option<Vec<Dependency>>,
    /// Receives the plan directory; empty for none.
    #[serde(default)]
    pub out_dir: String,
    /// Leaves points, account and files out of the answer; they stand in the plan directory.
    #[serde(default)]
    pub brief: bool,
    /// Keeps answers there, for as long as nothing changes; empty for none.
    #[serde(default)]
    pub memo_dir: String,
    /// For the caller: end of file means cancel.
    #[serde(default = "none")]
    pub control_fd: i32,
    /// For the caller: progress goes there.
    #[serde(default = "none")]
    pub progress_fd: i32,
}

const fn two() -> u8 {
    2
}

const fn none() -> i32 {
    -1
}

impl Options {
    /// Refuses values that are not allowed.
    pub fn check(&self) -> Result<()> {
        one_of("range", &self.range, &["", "merge-base", "direct"])?;
        one_of(
            "granularity",
            &self.granularity,
            &["", "line", "patch", "scope", "func"],
        )?;
        one_of("dataType", &self.config.data_type, &["", "bool", "count"])?;
        let path = &self.config.goat_package_path;
        if path
            .split(['/', '\\'])
            .any(|step| step != "." && step.starts_with('.'))
        {
            return Err(bad(
                "goatPackagePath",
                path,
                "a directory that the module shows",
            ));
        }
        if !(1..=3).contains(&self.precision) {
            return Err(bad("precision", &self.precision.to_string(), "1, 2 or 3"));
        }
        Ok(())
    }

    /// Whether tips are compared.
    #[must_use]
    pub fn direct(&self) -> bool {
        self.range == "direct"
    }

    /// How finely points are set.
    #[must_use]
    pub fn granularity(&self) -> Granularity {
        Granularity::parse(&self.granularity).unwrap_or(Granularity::Patch)
    }

    /// Which forms the points take.
    #[must_use]
    pub fn forms(&self) -> Forms {
        match (self.exact, self.config.data_type.as_str()) {
            (_, "count") => Forms::Count,
            (true, _) => Forms::Exact,
            (false, _) => Forms::Chosen,
        }
    }

    /// Import path suffix of the runtime package.
    #[must_use]
    pub fn runtime_path(&self) -> &str {
        match self.config.goat_package_path.trim_matches('/') {
            "" => "goat",
            path => path.strip_prefix("./").unwrap_or(path),
        }
    }

    /// What decides which modules are covered besides the files of the repository: the
    /// go.work that counts (one that stands outside is read here) and `-modfile`.
    pub fn ground(&self, root: &Path) -> Result<Ground> {
        let mut ground = Ground {
            root: root.to_owned(),
            workspace: Workspace::Off,
            outer: None,
            alternate: None,
        };
        match self.config.workspace.as_str() {
            "" | "auto" => {
                ground.workspace = Workspace::Auto;
                if let Some((text, file)) = outer_work(root) {
                    ground.add_outer(&file, parse_work(&text));
                }
            }
            "off" => {}
            file => {
                let file = Path::new(&self.dir).join(file);
                match inside(root, &file).filter(|_| file.exists()) {
                    Some(inside) => ground.workspace = Workspace::File(inside),
                    None => ground.add_outer(&file, parse_work(&read_named("go.work", &file)?)),
                }
            }
        }
        if !self.config.mod_file.is_empty() {
            let file = Path::new(&self.dir).join(&self.config.mod_file);
            ground.alternate = Some(parse_mod(&read_named("-modfile", &file)?));
        }
        Ok(ground)
    }
}

/// The nearest go.work above the repository.
fn outer_work(root: &Path) -> Option<(Vec<u8>, PathBuf)> {
    let mut above = root.ancestors().skip(1).map(|dir| dir.join("go.work"));
    above.find_map(|file| Some((read_file(&file).ok()?, file)))
}

fn read_named(what: &str, file: &Path) -> Result<Vec<u8>> {
    read_file(file).map_err(|cause| {
        let hint = match what {
            "go.work" => "set GOWORK to a go.work file, to off, or unset it",
            _ => "name a file that exists, or leave -modfile out",
        };
        Error::new(
            Code::BadConfig,
            format!("the file of {what} cannot be read"),
        )
        .hint(hint)
        .path(file.display().to_string())
        .cause(cause)
    })
}

impl Ground {
    /// Takes over what a go.work outside the repository uses and replaces inside.
    fn add_outer(&mut self, file: &Path, work: GoMod) {
        let dir = file.parent().unwrap_or(&self.root).to_owned();
        self.outer = Some((dir, work));
    }
}

fn one_of(key: &str, value: &str, allowed: &[&str]) -> Result<()> {
    if allowed.contains(&value) {
        return Ok(());
    }
    let words: Vec<&str> = allowed
        .iter()
        .copied()
        .filter(|word| !word.is_empty())
        .collect();
    Err(bad(key, value, &words.join(", ")))
}

fn bad(key: &str, value: &str, allowed: &str) -> Error {
    Error::new(Code::BadConfig, format!("{key} is {value:?}"))
        .hint(format!("allowed values: {allowed}"))
}
