//! The few configuration values that decide what git shows.

use std::path::{Path, PathBuf};

use git2::{Config, ConfigLevel};

use super::includes;
use super::layout::Layout;
use super::store::unreadable;
use crate::error::Result;

/// Extensions that say nothing about how objects, refs or the index are read.
const HARMLESS: [&str; 3] = ["partialclone", "compatobjectformat", "refstorage"];
/// Extensions that libgit2 knows itself.
const KNOWN: [&str; 5] = [
    "noop",
    "objectformat",
    "worktreeconfig",
    "preciousobjects",
    "relativeworktrees",
];

/// A value with three states, such as `core.autocrlf`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::git) enum AutoCrlf {
    /// Leave line ends alone.
    #[default]
    False,
    /// CRLF in the work tree, LF in the repository.
    True,
    /// LF in the repository.
    Input,
}

/// Configuration as git merges it: system, global, repository, worktree.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one switch of git's configuration"
)]
pub(in crate::git) struct Settings {
    pub worktree: Option<String>,
    pub bare: bool,
    pub object_format: Option<String>,
    pub ref_storage: Option<String>,
    pub unknown_extensions: Vec<String>,
    pub has_harmless_extension: bool,
    pub promisor: bool,
    pub auto_crlf: AutoCrlf,
    pub file_mode: bool,
    pub symlinks: bool,
    pub trust_ctime: bool,
    pub minimal_stat: bool,
    /// Names of filter drivers with a `clean` or `process` command.
    pub filters: Vec<String>,
    /// `safe.directory`, as far as it counts.
    safe: Vec<String>,
    /// `branch.<name>.remote`
    pub branch_remotes: Vec<(String, String)>,
    /// `branch.<name>.merge`
    pub branch_merges: Vec<(String, String)>,
}

impl Settings {
    /// Reads the configuration of a repository.
    pub fn read(layout: &Layout) -> Result<Self> {
        includes::check(&candidates(layout))?;
        let config =
            merged(layout).map_err(|e| unreadable("cannot read git's configuration", &e))?;
        let flag = |name: &str, default: bool| config.get_bool(name).unwrap_or(default);
        let text = |name: &str| config.get_string(name).ok();
        let mut settings = Self {
            worktree: text("core.worktree"),
            bare: flag("core.bare", false),
            object_format: text("extensions.objectformat"),
            ref_storage: text("extensions.refstorage"),
            auto_crlf: auto_crlf(&config),
            file_mode: flag("core.filemode", true),
            symlinks: flag("core.symlinks", true),
            trust_ctime: flag("core.trustctime", true),
            minimal_stat: text("core.checkstat").is_some_and(|v| v.eq_ignore_ascii_case("minimal")),
            ..Self::default()
        };
        settings
            .read_lists(&config)
            .map_err(|e| unreadable("cannot read git's configuration", &e))?;
        Ok(settings)
    }

    /// Whether objects may be missing because git fetches them on demand.
    pub const fn is_partial(&self) -> bool {
        self.promisor
    }

    fn read_lists(&mut self, config: &Config) -> std::result::Result<(), git2::Error> {
        let mut entries = config.entries(None)?;
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            // A key without a value means true, and has no bytes to read.
            let value = if entry.has_value() {
                entry.value_bytes()
            } else {
                b"true"
            };
            let value = String::from_utf8_lossy(value).into_owned();
            if name != "safe.directory" {
                self.add(&name, value);
            } else if !matches!(entry.level(), ConfigLevel::Local | ConfigLevel::Worktree) {
                // What a repository says of its own safety does not count.
                self.add_safe(value);
            }
        }
        environment_values("safe.directory").for_each(|value| self.add_safe(value));
        Ok(())
    }

    /// An empty value forgets those before it.
    fn add_safe(&mut self, value: String) {
        if value.is_empty() {
            self.safe.clear();
        } else {
            self.safe.push(value);
        }
    }

    /// Whether `safe.directory` names this directory, or a directory above it with `/*`.
    pub fn is_safe(&self, dir: &Path) -> bool {
        let matches = |safe: &String| match safe.strip_suffix("/*") {
            Some(above) => dir.starts_with(above),
            None => safe == "*" || Path::new(safe) == dir,
        };
        self.safe.iter().any(matches)
    }

    fn add(&mut self, name: &str, value: String) {
        if let Some(extension) = name.strip_prefix("extensions.") {
            self.has_harmless_extension |= HARMLESS.contains(&extension);
            self.promisor |= extension == "partialclone";
            if !HARMLESS.contains(&extension) && !KNOWN.contains(&extension) {
                self.unknown_extensions.push(extension.to_owned());
            }
        } else if let Some(rest) = name.strip_prefix("filter.") {
            let driver = rest
                .strip_suffix(".clean")
                .or_else(|| rest.strip_suffix(".process"));
            if let Some(driver) = driver.filter(|_| !value.is_empty()) {
                self.filters.push(driver.to_owned());
            }
        } else if let Some(rest) = name.strip_prefix("branch.") {
            if let Some(branch) = rest.strip_suffix(".remote") {
                self.branch_remotes.push((branch.to_owned(), value));
            } else if let Some(branch) = rest.strip_suffix(".merge") {
                self.branch_merges.push((branch.to_owned(), value));
            }
        } else if name.starts_with("remote.") && name.ends_with(".promisor") {
            self.promisor |= value.eq_ignore_ascii_case("true");
        }
    }

    /// The last value that a list holds for `key`.
    pub fn lookup<'a>(list: &'a [(String, String)], key: &str) -> Option<&'a str> {
        list.iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }
}

fn auto_crlf(config: &Config) -> AutoCrlf {
    match config.get_string("core.autocrlf") {
        Ok(value) if value.eq_ignore_ascii_case("input") => AutoCrlf::Input,
        Ok(_) if config.get_bool("core.autocrlf").unwrap_or(false) => AutoCrlf::True,
        _ => AutoCrlf::False,
    }
}

/// Opens the levels in git's order. The environment variables are those that git
/// reads, so that a test or a CI job that shuts out global configuration is heard.
fn merged(layout: &Layout) -> std::result::Result<Config, git2::Error> {
    let mut config = Config::new()?;
    let mut add = |path: Option<PathBuf>, level| match path.filter(|path| path.is_file()) {
        Some(path) => config.add_file(&path, level, false),
        None => Ok(()),
    };
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    if std::env::var_os("GIT_CONFIG_NOSYSTEM").is_none() {
        let system = variable("GIT_CONFIG_SYSTEM").or_else(|| Config::find_system().ok());
        add(system, ConfigLevel::System)?;
    }
    if let Some(global) = variable("GIT_CONFIG_GLOBAL") {
        add(Some(global), ConfigLevel::Global)?;
    } else {
        add(Config::find_xdg().ok(), ConfigLevel::XDG)?;
        add(Config::find_global().ok(), ConfigLevel::Global)?;
    }
    let local = layout.common.join("config");
    add(Some(local.clone()), ConfigLevel::Local)?;
    if has_worktree_config(&local) {
        add(
            Some(layout.git_dir.join("config.worktree")),
            ConfigLevel::Worktree,
        )?;
    }
    Ok(config)
}

/// All files that git or libgit2 may read: that one does not know the variables.
fn candidates(layout: &Layout) -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let outside = [
        variable("GIT_CONFIG_SYSTEM"),
        Config::find_system().ok(),
        variable("GIT_CONFIG_GLOBAL"),
        Config::find_xdg().ok(),
        Config::find_global().ok(),
    ];
    let own = [
        layout.common.join("config"),
        layout.git_dir.join("config.worktree"),
    ];
    outside.into_iter().flatten().chain(own).collect()
}

fn has_worktree_config(local: &Path) -> bool {
    Config::open(local)
        .and_then(|c| c.get_bool("extensions.worktreeconfig"))
        .unwrap_or(false)
}

/// The values of a key in `GIT_CONFIG_COUNT`, `GIT_CONFIG_KEY_0`, …
fn environment_values(key: &'static str) -> impl Iterator<Item = String> {
    let variable = |name: String| std::env::var(name).ok();
    let count = variable("GIT_CONFIG_COUNT".to_owned()).and_then(|count| count.parse().ok());
    (0..count.unwrap_or(0_usize))
        .filter(move |n| {
            let name = variable(format!("GIT_CONFIG_KEY_{n}"));
            name.is_some_and(|name| name.eq_ignore_ascii_case(key))
        })
        .filter_map(move |n| variable(format!("GIT_CONFIG_VALUE_{n}")))
}
