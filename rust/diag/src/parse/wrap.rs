//! What other programs put around the lines of a dump: prefixes of log lines, JSON
//! events, escapes.

/// The shape of a prefix: its bytes, with every run of digits standing for any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix(Vec<u8>);

/// Stands for a run of digits; a NUL is in no log line.
const DIGITS: u8 = 0;

/// A longer one is text, not a prefix.
const LONGEST: usize = 400;

impl Prefix {
    /// The shape of these bytes; none where they are too many.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > LONGEST {
            return None;
        }
        let mut shape = Vec::with_capacity(bytes.len());
        for &b in bytes {
            if !b.is_ascii_digit() {
                shape.push(b);
            } else if shape.last() != Some(&DIGITS) {
                shape.push(DIGITS);
            }
        }
        Some(Self(shape))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The line behind a prefix of this shape.
    pub fn strip<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let mut rest = line;
        for (at, &want) in self.0.iter().enumerate() {
            if want == DIGITS {
                let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
                if digits == 0 {
                    return None;
                }
                rest = &rest[digits..];
            } else if rest.first() == Some(&want) {
                rest = &rest[1..];
            } else if rest.is_empty() && self.0[at..].trim_ascii().is_empty() {
                // Blanks at the end of a line get lost on the way.
                return Some(rest);
            } else {
                return None;
            }
        }
        Some(rest)
    }
}

/// The strings of a JSON object in this line with their keys, still escaped; of an
/// object that was cut in half, those that are there.
pub fn strings(line: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut found = Vec::new();
    let mut key: &[u8] = b"";
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'"', &line[at..]) {
        let start = at + open + 1;
        let end = string_end(line, start);
        let text = &line[start..end];
        at = (end + 1).min(line.len());
        let next = line[at..].iter().find(|b| !b.is_ascii_whitespace());
        if next == Some(&b':') {
            key = text;
        } else {
            found.push((key, text));
        }
    }
    found
}

/// Where the string that starts here ends: at its quote, or with the line.
fn string_end(line: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(found) = memchr::memchr2(b'"', b'\\', &line[at..]) {
        at += found;
        if line[at] == b'"' {
            return at;
        }
        at = (at + 2).min(line.len());
    }
    line.len()
}

/// The part of a line around `at` that is one quoted string; the whole line where
/// nothing is quoted.
pub fn quoted(line: &[u8], at: usize) -> &[u8] {
    let mut start = 0;
    while let Some(open) = memchr::memchr(b'"', &line[start..at]) {
        let begin = start + open + 1;
        let end = string_end(line, begin);
        if end >= at {
            return &line[begin..end];
        }
        start = (end + 1).min(at);
    }
    line
}

/// Undoes the escapes of JSON and Go strings, one level of them.
pub fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let Some((&kind, tail)) = rest.split_first() else {
            out.push(b'\\');
            return out;
        };
        rest = tail;
        match kind {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => {}
            b'u' => {
                let digits = rest.get(..4).and_then(|hex| std::str::from_utf8(hex).ok());
                let code = digits.and_then(|hex| u32::from_str_radix(hex, 16).ok());
                if let Some(code) = code {
                    let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    rest = &rest[4..];
                }
            }
            b'"' | b'\\' | b'/' | b'\'' => out.push(kind),
            other => out.extend_from_slice(&[b'\\', other]),
        }
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_differ_in_their_digits_only() {
        let prefix = Prefix::of(b"2024-01-02T03:04:05.123Z stderr F ").expect("a prefix");
        assert_eq!(
            prefix.strip(b"2024-01-02T03:04:05.1Z stderr F main.main()"),
            Some(&b"main.main()"[..])
        );
        assert_eq!(
            prefix.strip(b"2024-01-02T03:04:05.1Z stderr F"),
            Some(&b""[..])
        );
        assert_eq!(prefix.strip(b"main.main()"), None);
    }

    #[test]
    fn strings_of_a_line() {
        let line = br#"{"a":"x\"y","b":{"c":"z"},"n":1,"cut":"en"#;
        let want: Vec<(&[u8], &[u8])> = vec![(b"a", br#"x\"y"#), (b"c", b"z"), (b"cut", b"en")];
        assert_eq!(strings(line), want);
        assert_eq!(unescape(br"a\n\tb\u003cc\\n"), b"a\n\tb<c\\n");
        assert_eq!(quoted(br#"x="1" msg="a\nb" y"#, 12), br"a\nb");
    }
}
