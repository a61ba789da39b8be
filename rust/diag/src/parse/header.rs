//! The line that a goroutine begins with.

/// `goroutine ID [STATUS …]:`, taken apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    /// The goroutine's number.
    pub id: u64,
    /// What it does or waits for, without what is hung on it.
    pub word: &'a [u8],
    /// For how long, as far as the dump says.
    pub minutes: Option<u32>,
    /// The runtime found that nothing can wake it.
    pub leaked: bool,
    /// Bound to its thread.
    pub locked: bool,
    /// Waits for goroutines of its own bubble only.
    pub durable: bool,
    /// Number of its synctest bubble.
    pub bubble: Option<u32>,
    /// Labels as written, without braces.
    pub labels: &'a [u8],
}

/// Where a line holds such a header: the place of its first byte, and what it says.
pub fn find(line: &[u8]) -> Option<(usize, Header<'_>)> {
    if let Some(header) = parse(line) {
        return Some((0, header));
    }
    memchr::memmem::find_iter(line, b"goroutine ")
        .find_map(|at| parse(&line[at..]).map(|header| (at, header)))
}

/// Reads a header that starts at the first byte and fills the line.
pub fn parse(line: &[u8]) -> Option<Header<'_>> {
    let rest = line.strip_prefix(b"goroutine ")?;
    let (id, rest) = number(rest)?;
    let rest = if rest.starts_with(b" gp=") {
        &rest[memchr::memmem::find(rest, b" [")?..]
    } else {
        rest
    };
    let rest = rest.strip_prefix(b" [")?;
    let end = closing(rest, b']')?;
    let mut header = Header {
        id,
        ..Header::default()
    };
    status(&rest[..end], &mut header);
    let mut rest = &rest[end + 1..];
    if let Some(labels) = rest.strip_prefix(b" {") {
        let end = closing(labels, b'}')?;
        header.labels = &labels[..end];
        rest = &labels[end + 1..];
    }
    let rest = rest.strip_prefix(b":")?;
    rest.trim_ascii().is_empty().then_some(header)
}

/// The first such byte outside of quotes.
fn closing(text: &[u8], byte: u8) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, &b) in text.iter().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if b == byte && !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

fn status<'a>(mut text: &'a [u8], header: &mut Header<'a>) {
    if let Some(at) = memchr::memmem::find(text, b" labels:{") {
        let labels = &text[at + b" labels:{".len()..];
        if let Some(end) = closing(labels, b'}') {
            header.labels = &labels[..end];
        }
        text = &text[..at];
    }
    let mut parts = text.split(|&b| b == b',').map(<[u8]>::trim_ascii);
    let mut word = parts.next().unwrap_or_default();
    loop {
        if let Some(rest) = word.strip_suffix(b" (leaked)") {
            header.leaked = true;
            word = rest;
        } else if let Some(rest) = word.strip_suffix(b" (durable)") {
            header.durable = true;
            word = rest;
        } else if let Some(rest) = word.strip_suffix(b" (synctest)") {
            header.durable = true;
            word = rest;
        } else if let Some(rest) = word.strip_suffix(b" (scan)") {
            word = rest;
        } else {
            break;
        }
    }
    header.word = word;
    for part in parts {
        detail(part, header);
    }
}

fn detail(part: &[u8], header: &mut Header<'_>) {
    let minutes = part
        .strip_suffix(b" minutes")
        .or_else(|| part.strip_suffix(b" minute"));
    if let Some((minutes, [])) = minutes.and_then(number) {
        header.minutes = Some(minutes.min(u64::from(u32::MAX)) as u32);
    } else if part == b"locked to thread" {
        header.locked = true;
    } else if let Some(rest) = part.strip_prefix(b"synctest ") {
        let digits = rest.iter().position(u8::is_ascii_digit);
        let bubble = digits.and_then(|at| number(&rest[at..]));
        header.bubble = bubble.and_then(|(n, _)| u32::try_from(n).ok());
    }
}

/// Leading digits as a number, and the rest.
pub fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || digits > 20 {
        return None;
    }
    let value = text[..digits].iter().fold(0_u64, |sum, b| {
        sum.saturating_mul(10).saturating_add(u64::from(b - b'0'))
    });
    Some((value, &text[digits..]))
}

/// Labels as pairs: `k: "v v", k2: v` and `"k":"v", "k2":"v2"`.
pub fn labels(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text.trim().trim_start_matches('{').trim_end_matches('}');
    while !rest.is_empty() {
        let (key, after) = token(rest, ':');
        let (value, after) = token(after, ',');
        pairs.push((key, value));
        rest = after;
    }
    pairs
}

/// One quoted or bare word, and what follows the separator behind it.
fn token(text: &str, separator: char) -> (String, &str) {
    let text = text.trim_start();
    let Some(inner) = text.strip_prefix('"') else {
        let (word, rest) = text.split_once(separator).unwrap_or((text, ""));
        return (word.trim().to_owned(), rest);
    };
    let mut word = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let rest = inner[at + 1..].trim_start();
                return (word, rest.strip_prefix(separator).unwrap_or(rest));
            }
            '\\' => match chars.next() {
                Some((_, 'n')) => word.push('\n'),
                Some((_, 't')) => word.push('\t'),
                Some((_, c)) => word.push(c),
                None => {}
            },
            c => word.push(c),
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (u64, String, Option<u32>, String) {
        let h = parse(line.as_bytes()).expect(line);
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        (h.id, text(h.word), h.minutes, text(h.labels))
    }

    #[test]
    fn headers_of_all_versions() {
        let plain = |id, word: &str| (id, word.to_owned(), None, String::new());
        assert_eq!(read("goroutine 1 [running]:"), plain(1, "running"));
        assert_eq!(
            read("goroutine 7 gp=0xc000007c00 m=nil [chan receive (nil chan)]:"),
            plain(7, "chan receive (nil chan)")
        );
        assert_eq!(
            read("goroutine 9 [select (no cases), 12 minutes, locked to thread]:"),
            (9, "select (no cases)".into(), Some(12), String::new())
        );
        assert_eq!(
            read(r#"goroutine 3 [chan receive (leaked), 2 minutes] {k: "a]: b", j: c}:"#),
            (
                3,
                "chan receive".into(),
                Some(2),
                r#"k: "a]: b", j: c"#.into()
            )
        );
        assert_eq!(
            read(r#"goroutine 3 [chan send labels:{"k": "v}]:"}]:"#),
            (3, "chan send".into(), None, r#""k": "v}]:""#.into())
        );
        let bubble =
            parse(b"goroutine 8 [select (durable), synctest bubble 1]:").expect("a header");
        assert!(bubble.durable && bubble.bubble == Some(1) && bubble.word == b"select");
    }

    #[test]
    fn what_is_no_header() {
        for line in [
            "goroutine running on other thread; stack unavailable",
            "goroutine 7 [running]",
            "goroutine x [running]:",
            "goroutine 7 [running]: and more",
            "goroutine profile: total 3",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn labels_in_all_spellings() {
        let want = vec![("k".to_owned(), "v v".to_owned()), ("j".into(), "c".into())];
        assert_eq!(labels(r#"k: "v v", j: c"#), want);
        assert_eq!(labels(r#"{"k":"v v", "j":"c"}"#), want);
    }
}
