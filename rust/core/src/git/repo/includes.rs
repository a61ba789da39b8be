//! The files that git's configuration includes, found before libgit2 reads them: it waits
//! at a pipe for ever, and nobody could stop it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::paths::{check_rules, os_path, read_file};
use crate::error::Result;

/// How far git follows files that include files; libgit2 says so of what goes on.
const DEPTH: usize = 10;

/// Refuses a configuration of which a part is a pipe. A condition (`includeIf`) counts as
/// met.
pub(in crate::git) fn check(files: &[PathBuf]) -> Result<()> {
    let mut known = HashSet::new();
    files
        .iter()
        .try_for_each(|file| follow(file, None, DEPTH, &mut known))
}

fn follow(
    file: &Path,
    from: Option<&Path>,
    depth: usize,
    known: &mut HashSet<PathBuf>,
) -> Result<()> {
    if !known.insert(file.to_path_buf()) {
        return Ok(());
    }
    check_rules(file).map_err(|error| match from {
        Some(from) => error.cause(format!("{} includes it", from.display())),
        None => error,
    })?;
    let text = read_file(file).unwrap_or_default();
    let dir = file.parent().unwrap_or(file);
    for path in included(&text) {
        let next = match path.strip_prefix(b"~/") {
            Some(rest) => std::env::home_dir().unwrap_or_default().join(os_path(rest)),
            None => dir.join(os_path(&path)),
        };
        if depth > 0 {
            follow(&next, Some(file), depth - 1, known)?;
        }
    }
    Ok(())
}

/// The values of `path` in the sections `include` and `includeIf`.
fn included(text: &[u8]) -> Vec<Vec<u8>> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let (mut found, mut inside) = (Vec::new(), false);
    for line in logical_lines(text) {
        let mut rest = line.trim_ascii();
        if let Some(header) = rest.strip_prefix(b"[") {
            let name = header.split(|&b| matches!(b, b' ' | b'\t' | b'"' | b']' | b'.'));
            let name = name.into_iter().next().unwrap_or_default();
            inside =
                name.eq_ignore_ascii_case(b"include") || name.eq_ignore_ascii_case(b"includeif");
            rest = header[header_end(header)..].trim_ascii();
        }
        let Some(at) = rest.iter().position(|&b| b == b'=').filter(|_| inside) else {
            continue;
        };
        if rest[..at].trim_ascii().eq_ignore_ascii_case(b"path") {
            found.push(value(rest[at + 1..].trim_ascii_start()));
        }
    }
    found.retain(|path| !path.is_empty());
    found
}

/// Lines, those put together that end with a backslash.
fn logical_lines(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = vec![Vec::new()];
    for part in text.split(|&b| b == b'\n') {
        let part = part.strip_suffix(b"\r").unwrap_or(part);
        let slashes = part.iter().rev().take_while(|&&b| b == b'\\').count();
        let goes_on = slashes % 2 == 1;
        let last = lines.len() - 1;
        lines[last].extend_from_slice(&part[..part.len() - usize::from(goes_on)]);
        if !goes_on {
            lines.push(Vec::new());
        }
    }
    lines
}

/// Where the text behind the head of a section begins.
fn header_end(header: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, &byte) in header.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b']' if !quoted => return at + 1,
            _ => {}
        }
    }
    header.len()
}

/// A value without its quotes, escapes and comment.
fn value(raw: &[u8]) -> Vec<u8> {
    let (mut out, mut kept) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for &byte in raw {
        match byte {
            _ if escaped => {
                escaped = false;
                out.push(match byte {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'b' => 8,
                    other => other,
                });
                kept = out.len();
            }
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'#' | b';' if !quoted => break,
            _ => {
                out.push(byte);
                if quoted || !byte.is_ascii_whitespace() {
                    kept = out.len();
                }
            }
        }
    }
    out.truncate(kept);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_git_reads_them() {
        let text =
            b"[user]\npath = no\n[Include]\n\tpath = a ; why\n  PATH=\"b # c\"\n#path = no\n\
            [includeIf \"gitdir:~/x]\\\"y/\"] path = d\\\n e\n[core]\n\tpath = no\n\
            [include]path=\"\\\\f\\\"\\t\"\r\n\tpath\n\tpath =\n";
        let found: Vec<String> = included(text)
            .iter()
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect();
        assert_eq!(found, ["a", "b # c", "d e", "\\f\"\t"]);
    }
}
