//! The change, as far as stacks can meet it: functions with their changed lines.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::names;
use crate::symbols::{Frame, Symbols};

/// A function that the change touches.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedFunction {
    /// Import path.
    pub package: String,
    /// Slash path, relative to the repository's root.
    pub file: String,
    /// `F`, `(*T).M` or `T.M`; empty for code outside of functions.
    pub func: String,
    /// Changed lines of the release.
    #[serde(default)]
    pub lines: Vec<u32>,
}

/// Finds changed functions by what a frame says.
#[derive(Debug, Default)]
pub struct Changed {
    /// By the last element of the file's path.
    files: HashMap<String, Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    known: Known,
    declaration: String,
    lines: HashSet<u32>,
}

/// A changed function as the plan calls it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    pub package: String,
    pub file: String,
    pub func: String,
}

/// What a frame has to do with the change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touch<'a> {
    /// Its function, where that is changed.
    pub function: Option<&'a Known>,
    /// Its line is.
    pub line: bool,
}

impl Changed {
    /// Takes the functions of a plan.
    pub fn new(functions: Vec<ChangedFunction>) -> Self {
        let mut files: HashMap<String, Vec<Entry>> = HashMap::new();
        for f in functions {
            let full = format!("{}.{}", f.package.replace('.', "%2e"), f.func);
            files
                .entry(base(&f.file).to_owned())
                .or_default()
                .push(Entry {
                    declaration: names::facts(full.as_bytes()).declaration,
                    known: Known {
                        package: f.package,
                        file: f.file,
                        func: f.func,
                    },
                    lines: f.lines.into_iter().collect(),
                });
        }
        Self { files }
    }

    /// What the frame has to do with the change.
    pub fn touch(&self, frame: Frame, symbols: &Symbols) -> Touch<'_> {
        let (file, line) = symbols.file_line(frame.place);
        let file = file.replace('\\', "/");
        let Some(entries) = self.files.get(base(&file)) else {
            return Touch::default();
        };
        let facts = symbols.facts(frame.func);
        let mut touch = Touch::default();
        for entry in entries {
            let package = facts.package == entry.known.package
                || (facts.package == "main" && entry.known.is_file(&file));
            if package && same_declaration(&facts.declaration, &entry.declaration) {
                touch.function = Some(&entry.known);
                touch.line |= entry.lines.contains(&line);
            }
        }
        touch
    }
}

impl Known {
    /// A main package has no path of its own in a stack: its file must be the one.
    fn is_file(&self, file: &str) -> bool {
        let tail = file.strip_suffix(self.file.as_str());
        tail.is_some_and(|head| head.is_empty() || head.ends_with('/'))
            || file
                .strip_suffix(base(file))
                .map(|dir| dir.trim_end_matches('/'))
                == Some(self.package.as_str())
    }
}

/// A closure in a method of a value does not say the type.
fn same_declaration(of_frame: &str, of_plan: &str) -> bool {
    of_frame == of_plan
        || of_plan
            .strip_suffix(of_frame)
            .is_some_and(|head| head.ends_with('.') && !head.starts_with('('))
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_in_changed_functions() {
        let f = |package: &str, file: &str, func: &str| ChangedFunction {
            package: package.into(),
            file: file.into(),
            func: func.into(),
            lines: vec![12],
        };
        let changed = Changed::new(vec![
            f("example.com/app/svc.v2", "svc.v2/a.go", "(*S).Do"),
            f("example.com/app/cmd/x", "cmd/x/main.go", "main"),
            f("example.com/app/svc", "svc/b.go", "T.M"),
        ]);
        let mut symbols = Symbols::default();
        for (func, place, want) in [
            (
                "example.com/app/svc%2ev2.(*S).Do",
                "/src/app/svc.v2/a.go:12",
                (true, true),
            ),
            (
                "example.com/app/svc%2ev2.(*S).Do.func1",
                "/src/app/svc.v2/a.go:14",
                (true, false),
            ),
            (
                "example.com/app/svc%2ev2.(*S).Other",
                "/src/app/svc.v2/a.go:12",
                (false, false),
            ),
            ("main.main", "/src/app/cmd/x/main.go:3", (true, false)),
            (
                "main.main",
                "example.com/app/cmd/x/main.go:3",
                (true, false),
            ),
            ("main.main", "/src/app/cmd/y/main.go:12", (false, false)),
            (
                "example.com/app/svc.T.M.func1",
                "C:\\app\\svc\\b.go:12",
                (true, true),
            ),
        ] {
            let frame = Frame {
                func: symbols.function(func.as_bytes()),
                place: symbols.place(place.as_bytes()),
            };
            let touch = changed.touch(frame, &symbols);
            assert_eq!(
                (touch.function.is_some(), touch.line),
                want,
                "{func} {place}"
            );
        }
    }
}
