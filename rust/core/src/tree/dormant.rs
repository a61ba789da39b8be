//! Whether a build takes a file when nobody asks for one of its own tags.

use super::constraint::{constraint, is_known};

/// Whether no build compiles a file unless a tag of one's own is given: its name, its
/// constraint or the word `ignore` sees to that.
#[must_use]
pub fn is_dormant(path: &str, source: &[u8]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_suffix(".go");
    let read = stem.is_some_and(|stem| !stem.ends_with("_test"));
    let hidden = path
        .split('/')
        .any(|part| part == "testdata" || part.starts_with(['.', '_']));
    if !read || hidden {
        return true;
    }
    let expression = constraint(name, source).unwrap_or_default();
    let mut reader = Reader {
        rest: expression.as_str(),
    };
    !expression.is_empty() && reader.any(0) == Some(false)
}

/// How deep an expression may nest and still be read.
const DEPTH: usize = 100;

/// Reads an expression; the value is `None` where the system or the compiler decides.
struct Reader<'e> {
    rest: &'e str,
}

impl Reader<'_> {
    fn any(&mut self, depth: usize) -> Option<bool> {
        let mut value = self.all(depth);
        while self.takes("||") {
            value = match (value, self.all(depth)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        value
    }

    fn all(&mut self, depth: usize) -> Option<bool> {
        let mut value = self.one(depth);
        while self.takes("&&") {
            value = match (value, self.one(depth)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        value
    }

    fn one(&mut self, depth: usize) -> Option<bool> {
        let mut not = false;
        while self.takes("!") {
            not = !not;
        }
        let value = if self.takes("(") {
            if depth > DEPTH {
                return None;
            }
            let value = self.any(depth + 1);
            self.takes(")");
            value
        } else {
            let word = self.word();
            if word.is_empty() || is_known(word) {
                None
            } else {
                Some(false)
            }
        };
        value.map(|value| value != not)
    }

    fn takes(&mut self, text: &str) -> bool {
        let rest = self.rest.trim_start();
        let found = rest.strip_prefix(text);
        self.rest = found.unwrap_or(rest);
        found.is_some()
    }

    fn word(&mut self) -> &str {
        let rest = self.rest.trim_start();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')))
            .unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        word
    }
}

#[cfg(test)]
mod tests {
    use super::is_dormant;

    #[test]
    fn what_no_build_takes_unasked() {
        let text = |line: &str| format!("{line}\n\npackage a\n");
        for (path, line, want) in [
            ("a.go", "", false),
            ("a_windows.go", "", false),
            ("a_test.go", "", true),
            ("_a.go", "", true),
            ("testdata/a.go", "", true),
            ("a.go.txt", "", true),
            ("a.go", "//go:build ignore", true),
            ("a.go", "//go:build !ignore", false),
            ("a.go", "//go:build linux && beta", true),
            ("a.go", "//go:build linux || beta", false),
            ("a.go", "//go:build !(beta || alpha)", false),
            ("a.go", "//go:build go1.21 && !windows", false),
            ("a.go", "// +build beta", true),
        ] {
            assert_eq!(
                is_dormant(path, text(line).as_bytes()),
                want,
                "{path} {line}"
            );
        }
    }
}
