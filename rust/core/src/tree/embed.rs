//! `//go:embed` patterns.

use globset::GlobBuilder;

const DIRECTIVE: &[u8] = b"//go:embed ";

/// The patterns of all directives of a file.
pub(super) fn patterns(source: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(source, DIRECTIVE) {
        let starts_line = at == 0 || source[at - 1] == b'\n';
        let line = source[at + DIRECTIVE.len()..].split(|&b| b == b'\n').next();
        if let Some(line) = line.filter(|_| starts_line) {
            found.extend(words(&String::from_utf8_lossy(line)));
        }
    }
    found
}

/// Space-separated words, some of them quoted.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while let Some(first) = rest.chars().next() {
        let quoted = matches!(first, '"' | '`');
        let end = if quoted {
            rest[1..].find(first).map_or(rest.len(), |end| end + 2)
        } else {
            rest.find(char::is_whitespace).unwrap_or(rest.len())
        };
        words.push(
            rest[..end]
                .trim_matches(|c| quoted && c == first)
                .to_owned(),
        );
        rest = rest[end..].trim_start();
    }
    words
}

/// Whether a pattern takes a file, whose path is relative to the pattern's directory.
/// A pattern that matches a directory takes what is below, but names with a dot or an
/// underscore in front only with `all:`.
#[must_use]
pub fn matches_pattern(pattern: &str, path: &str) -> bool {
    let all = pattern.strip_prefix("all:");
    let Ok(glob) = GlobBuilder::new(all.unwrap_or(pattern))
        .literal_separator(true)
        .build()
    else {
        return false;
    };
    let matcher = glob.compile_matcher();
    if matcher.is_match(path) || pattern == "." {
        return true;
    }
    let ends = path.match_indices('/').map(|(at, _)| at);
    ends.filter(|&at| matcher.is_match(&path[..at])).any(|at| {
        let hidden = |name: &str| name.starts_with(['.', '_']);
        all.is_some() || !path[at + 1..].split('/').any(hidden)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_patterns() {
        let source = b"package a\n\n//go:embed a.txt \"b c\" all:d\n//go:embed e/*\nvar x string // //go:embed no\n";
        assert_eq!(patterns(source), ["a.txt", "b c", "all:d", "e/*"]);
    }

    #[test]
    fn matches_as_go_does() {
        assert!(matches_pattern("a.txt", "a.txt"));
        assert!(!matches_pattern("a.txt", "sub/a.txt"));
        assert!(matches_pattern("static/*", "static/x/y.js"));
        assert!(!matches_pattern("static", "static/.hidden/y.js"));
        assert!(matches_pattern("all:static", "static/.hidden/y.js"));
        assert!(!matches_pattern("*.txt", "sub/a.txt"));
    }
}
