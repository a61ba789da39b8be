//! Which lines inside a block are goat's.

use super::block::Kind;
use super::comment;

/// What one line of a block is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// White space.
    Empty,
    /// goat's, with the name of the runtime package if the line uses it.
    Ours(Option<String>),
    /// Somebody else's.
    Foreign,
}

/// Reads one line of a block.
pub(crate) fn read(text: &[u8], kind: Kind) -> Line {
    let text = text.trim_ascii();
    let text = text.strip_suffix(b";").unwrap_or(text);
    if text.is_empty() {
        return Line::Empty;
    }
    if text.starts_with(b"//") {
        return if comment::marks(text).is_empty() {
            Line::Foreign
        } else {
            Line::Ours(None)
        };
    }
    let name = std::str::from_utf8(text).ok().and_then(|text| match kind {
        Kind::Import => import(text),
        Kind::Main => call(text, "ServeHTTP", "COMPONENT_"),
        _ if text == "}" => Some(String::new()),
        _ => call(text, "Track", "TRACK_ID_").or_else(|| initialiser(text)),
    });
    match name {
        Some(name) => Line::Ours(Some(name).filter(|name| !name.is_empty())),
        None => Line::Foreign,
    }
}

/// `Q.Track(Q.TRACK_ID_7)`, white space aside; the answer is `Q`.
fn call(text: &str, function: &str, constant: &str) -> Option<String> {
    let (name, rest) = identifier(text)?;
    let rest = symbol(rest, ".")?;
    let rest = symbol(symbol(rest, function)?, "(")?;
    let rest = numbered(rest, name, constant)?;
    symbol(rest, ")").filter(|rest| rest.is_empty())?;
    Some(name.to_owned())
}

/// `var _ = Q.TrackInit(&x, Q.TRACK_ID_7)`
fn initialiser(text: &str) -> Option<String> {
    let rest = symbol(symbol(symbol(text, "var")?, "_")?, "=")?;
    let (name, rest) = identifier(rest)?;
    let rest = symbol(symbol(symbol(rest, ".")?, "TrackInit")?, "(")?;
    let (_, rest) = identifier(symbol(rest, "&")?)?;
    let rest = numbered(symbol(rest, ",")?, name, "TRACK_ID_")?;
    symbol(rest, ")").filter(|rest| rest.is_empty())?;
    Some(name.to_owned())
}

/// `Q.TRACK_ID_7`
fn numbered<'a>(text: &'a str, name: &str, constant: &str) -> Option<&'a str> {
    let (again, rest) = identifier(text)?;
    let rest = symbol(symbol(rest, ".")?, constant)?;
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    (again == name && after.len() < rest.len()).then(|| after.trim_start())
}

/// `import Q "path"`, also without the name or without the keyword (GOAT 1.0).
fn import(text: &str) -> Option<String> {
    let rest = symbol(text, "import").unwrap_or(text);
    let (name, path) = identifier(rest).unwrap_or(("", rest));
    let path = path.strip_prefix('"')?.strip_suffix('"')?;
    if path.contains('"') {
        return None;
    }
    let last = path.rsplit('/').next().unwrap_or(path);
    Some(if name.is_empty() { last } else { name }.to_owned())
}

fn identifier(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !(c == '_' || c.is_alphanumeric()))
        .unwrap_or(text.len());
    let first = text.chars().next()?;
    (end > 0 && !first.is_ascii_digit()).then(|| (&text[..end], text[end..].trim_start()))
}

fn symbol<'a>(text: &'a str, what: &str) -> Option<&'a str> {
    text.strip_prefix(what).map(str::trim_start)
}
