//! Reads go.mod and go.work files as far as planning needs them.

use std::collections::BTreeMap;

/// A `replace` directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replace {
    /// Module path that is replaced.
    pub old: String,
    /// Version that is replaced; empty for all.
    pub old_version: String,
    /// Module path or directory that takes its place.
    pub new: String,
    /// Version that takes its place; empty for a directory.
    pub new_version: String,
}

impl Replace {
    /// Whether the replacement is a directory.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.new_version.is_empty()
            && (self.new.starts_with("./")
                || self.new.starts_with("../")
                || matches!(self.new.as_str(), "." | "..")
                || self.new.starts_with('/'))
    }
}

/// What a go.mod (or go.work) file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoMod {
    /// Module path; empty in a go.work file.
    pub module: String,
    /// The `go` directive.
    pub go: String,
    /// The `toolchain` directive.
    pub toolchain: String,
    /// Required versions by module path.
    pub require: BTreeMap<String, String>,
    /// Replacements.
    pub replace: Vec<Replace>,
    /// Directories of a go.work file.
    pub uses: Vec<String>,
}

impl GoMod {
    /// The directive that takes a module's place: one for this very version comes first.
    #[must_use]
    pub fn replacing(&self, name: &str, version: &str) -> Option<&Replace> {
        let fits = self.replace.iter().filter(|r| r.old == name);
        let fits = fits.filter(|r| r.old_version.is_empty() || r.old_version == version);
        fits.max_by_key(|r| !r.old_version.is_empty())
    }
}

/// Reads a go.mod file; what is not understood is skipped, as it is the go command
/// that has to refuse it.
#[must_use]
pub fn parse_mod(text: &[u8]) -> GoMod {
    let text = String::from_utf8_lossy(text);
    let mut result = GoMod::default();
    let mut block: Option<String> = None;
    for line in text.lines() {
        let words = words(line);
        match (block.take(), words.as_slice()) {
            (verb, []) => block = verb,
            (Some(_), [close]) if close == ")" => {}
            (Some(verb), rest) => {
                directive(&mut result, &verb, rest);
                block = Some(verb);
            }
            (None, [verb, open]) if open == "(" => block = Some(verb.clone()),
            (None, [verb, rest @ ..]) => directive(&mut result, verb, rest),
        }
    }
    result
}

/// Reads a go.work file.
#[must_use]
pub fn parse_work(text: &[u8]) -> GoMod {
    parse_mod(text)
}

fn directive(result: &mut GoMod, verb: &str, words: &[String]) {
    match (verb, words) {
        ("module", [path]) => result.module.clone_from(path),
        ("go", [version]) => result.go.clone_from(version),
        ("toolchain", [name]) => result.toolchain.clone_from(name),
        ("use", [dir]) => result.uses.push(dir.clone()),
        ("require", [path, version, ..]) => {
            result.require.insert(path.clone(), version.clone());
        }
        ("replace", words) => {
            let arrow = words.iter().position(|word| word == "=>");
            let sides = arrow.map(|at| (&words[..at], &words[at + 1..]));
            if let Some(([old, old_version @ ..], [new, new_version @ ..])) = sides {
                let first = |rest: &[String]| rest.first().cloned().unwrap_or_default();
                result.replace.push(Replace {
                    old: old.clone(),
                    old_version: first(old_version),
                    new: new.clone(),
                    new_version: first(new_version),
                });
            }
        }
        _ => {}
    }
}

/// The words of a line: quotes removed, comments dropped, parentheses apart.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            break;
        }
        let (word, after) = match first {
            '"' | '`' => {
                let end = rest[1..].find(first).map_or(rest.len(), |end| end + 2);
                (rest[1..end].trim_end_matches(first), &rest[end..])
            }
            '(' | ')' => rest.split_at(1),
            _ => {
                let stop = |c: char| c.is_whitespace() || matches!(c, '(' | ')');
                let comment = rest.find("//").unwrap_or(rest.len());
                let end = rest.find(stop).unwrap_or(rest.len()).min(comment);
                rest.split_at(end)
            }
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_blocks_quotes_and_comments() {
        let text = b"module \"example.com/a\" // why\r\ngo 1.23\n\nrequire (\n\tb.example/b v1.2.3 // indirect\n\n)\nrequire c.example v0.1.0\nreplace (\n\tb.example/b v1.2.3 => ./local/b\n\tc.example => d.example v2.0.0\n)\n";
        let read = parse_mod(text);
        assert_eq!(read.module, "example.com/a");
        assert_eq!(read.go, "1.23");
        assert_eq!(read.require["b.example/b"], "v1.2.3");
        assert_eq!(read.require["c.example"], "v0.1.0");
        assert_eq!(read.replace.len(), 2);
        assert!(read.replace[0].is_local());
        assert_eq!(read.replace[0].old_version, "v1.2.3");
        assert!(!read.replace[1].is_local());
        assert_eq!(read.replace[1].new_version, "v2.0.0");
    }

    #[test]
    fn reads_a_workspace() {
        let read = parse_work(b"go 1.23\nuse ./a\nuse(\n\t./b\n\t\"./c d\"\n)\n");
        assert_eq!(read.uses, ["./a", "./b", "./c d"]);
    }
}
