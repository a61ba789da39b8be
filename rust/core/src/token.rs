//! The tokens of a Go file, as the Go specification has them.
//!
//! The scanner works on bytes, never fails and keeps comments. It is what the
//! other stages compare code by: [`significant`] gives the tokens of a file
//! without anything that only formats it.

use crate::control;
use crate::model::Span;
use std::borrow::Cow;

/// The class of a [`Token`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// An identifier, predeclared ones included.
    Ident,
    /// A keyword.
    Keyword,
    /// An operator or a delimiter, the written `;` included.
    Op,
    /// An integer literal.
    Int,
    /// A floating-point literal.
    Float,
    /// An imaginary literal.
    Imag,
    /// A rune literal.
    Char,
    /// A literal in double quotes.
    String,
    /// A literal in back quotes.
    RawString,
    /// An automatic semicolon: no bytes, directly after the token that a line end
    /// follows (before comments that stand between the two).
    AutoSemi,
    /// A `//` or `/* … */` comment, without the line end after it.
    Comment,
    /// Bytes that no rule covers: a stray character, or a literal or comment
    /// without its end.
    Illegal,
}

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: TokenKind,
}

impl Token {
    /// Its bytes, as written; `;` for an automatic semicolon.
    #[must_use]
    pub fn text<'s>(&self, source: &'s [u8]) -> &'s [u8] {
        if self.kind == TokenKind::AutoSemi {
            b";"
        } else {
            self.span.of(source)
        }
    }

    /// Whether it is a semicolon, written or automatic.
    #[must_use]
    pub fn is_semicolon(&self, source: &[u8]) -> bool {
        self.kind == TokenKind::AutoSemi || self.is(source, b";")
    }

    /// Whether it is this operator or keyword.
    #[must_use]
    pub fn is<const N: usize>(&self, source: &[u8], text: &[u8; N]) -> bool {
        // The length is known where this is called, so that the bytes are compared in place.
        self.span.end - self.span.start == N
            && matches!(self.kind, TokenKind::Op | TokenKind::Keyword)
            && self.span.of(source).first_chunk::<N>() == Some(text)
    }
}

/// A token that means something, with the text to compare it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word<'s> {
    /// The token.
    pub token: Token,
    /// Its text: `;` for every semicolon, a raw string without `\r`, else as written.
    pub text: Cow<'s, [u8]>,
}

/// The tokens that make the meaning, so that two texts which differ only in
/// comments, white space and line ends give equal texts. Left out are comments, a
/// comma directly before `)`, `]` or `}` and semicolons directly before `)` or `}`.
#[must_use]
pub fn significant<'s>(source: &'s [u8], tokens: &[Token]) -> Vec<Word<'s>> {
    let mut words: Vec<Word<'s>> = Vec::with_capacity(tokens.len());
    for token in tokens
        .iter()
        .filter(|token| token.kind != TokenKind::Comment)
    {
        let text = comparable(source, token);
        if token.kind == TokenKind::Op {
            drop_before(&mut words, &text);
        }
        words.push(Word {
            token: *token,
            text,
        });
    }
    words
}

/// Removes what may stand or not stand before a closing bracket.
fn drop_before(words: &mut Vec<Word<'_>>, closing: &[u8]) {
    if matches!(closing, b")" | b"}") {
        while words.last().is_some_and(|word| &*word.text == b";") {
            words.pop();
        }
    }
    let comma = matches!(closing, b")" | b"]" | b"}");
    if comma
        && words
            .last()
            .is_some_and(|word| word.token.kind == TokenKind::Op && &*word.text == b",")
    {
        words.pop();
    }
}

fn comparable<'s>(source: &'s [u8], token: &Token) -> Cow<'s, [u8]> {
    let text = token.text(source);
    if token.kind == TokenKind::RawString && text.contains(&b'\r') {
        return Cow::Owned(text.iter().copied().filter(|&byte| byte != b'\r').collect());
    }
    Cow::Borrowed(text)
}

/// The directive that a comment is, without its `//`: `go:nosplit`, `line a.go:1`,
/// `goat:ignore`, `export F`; `None` for prose.
#[must_use]
pub fn directive(comment: &[u8]) -> Option<&[u8]> {
    let text = comment.strip_prefix(b"//")?.trim_ascii_end();
    for word in [&b"line "[..], b"export ", b"extern "] {
        if text.starts_with(word) {
            return Some(text);
        }
    }
    let colon = text.iter().position(|&byte| byte == b':')?;
    let tool = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let named =
        colon > 0 && text[..colon].iter().all(tool) && text.get(colon + 1).is_some_and(tool);
    named.then_some(text)
}

/// Cuts a file into tokens, in order. Every byte that is not in a token is white
/// space (or a byte order mark at the top).
#[must_use]
pub fn scan(source: &[u8]) -> Vec<Token> {
    let mut scanner = Scanner {
        source,
        at: 0,
        tokens: Vec::with_capacity(source.len() / 4),
        semicolon: None,
    };
    if source.starts_with(b"\xEF\xBB\xBF") {
        scanner.at = 3;
    }
    while scanner.at < source.len() {
        control::step();
        scanner.step();
    }
    scanner.line_end();
    scanner.tokens
}

struct Scanner<'s> {
    source: &'s [u8],
    at: usize,
    tokens: Vec<Token>,
    /// Where an automatic semicolon goes if the line ends now.
    semicolon: Option<usize>,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.source.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn step(&mut self) {
        match self.peek(0) {
            b'\n' => {
                self.line_end();
                self.at += 1;
            }
            b' ' | b'\t' | b'\r' => self.blanks(),
            b'/' if matches!(self.peek(1), b'/' | b'*') => self.comment(),
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_ascii_digit() => self.number(),
            b'"' => self.quoted(b'"', TokenKind::String),
            b'\'' => self.quoted(b'\'', TokenKind::Char),
            b'`' => self.raw_string(),
            byte if byte == b'_' || byte.is_ascii_alphabetic() || byte >= 0x80 => self.word(),
            _ => self.operator(),
        }
    }

    fn blanks(&mut self) {
        let rest = &self.source[self.at..];
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
        let end = rest.iter().position(|byte| !blank(byte));
        self.at += end.unwrap_or(rest.len());
    }

    /// Notes a token from `start` to here; `ends` tells whether a line may end after it.
    fn push(&mut self, start: usize, kind: TokenKind, ends: bool) {
        self.tokens.push(Token {
            span: Span::new(start, self.at),
            kind,
        });
        self.semicolon = ends.then_some(self.tokens.len());
    }

    fn line_end(&mut self) {
        if let Some(slot) = self.semicolon.take() {
            let end = self.tokens[slot - 1].span.end;
            let token = Token {
                span: Span::new(end, end),
                kind: TokenKind::AutoSemi,
            };
            self.tokens.insert(slot, token);
        }
    }

    fn comment(&mut self) {
        let (start, rest) = (self.at, &self.source[self.at..]);
        if self.peek(1) == b'/' {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let text = &rest[..end];
            let carriage = usize::from(text.ends_with(b"\r"));
            self.at += end - carriage;
        } else if let Some(end) = memchr::memmem::find(&rest[2..], b"*/") {
            self.at += end + 4;
            if memchr::memchr(b'\n', &rest[..end + 2]).is_some() {
                self.line_end();
            }
        } else {
            self.line_end();
            self.at = self.source.len();
            self.push(start, TokenKind::Illegal, false);
            return;
        }
        self.tokens.push(Token {
            span: Span::new(start, self.at),
            kind: TokenKind::Comment,
        });
    }

    fn raw_string(&mut self) {
        let start = self.at;
        let rest = &self.source[start + 1..];
        let end = memchr::memchr(b'`', rest);
        self.at = end.map_or(self.source.len(), |end| start + end + 2);
        let kind = if end.is_some() {
            TokenKind::RawString
        } else {
            TokenKind::Illegal
        };
        self.push(start, kind, true);
    }

    /// A literal that ends on its line.
    fn quoted(&mut self, quote: u8, kind: TokenKind) {
        let start = self.at;
        self.at += 1;
        loop {
            match self.source.get(self.at) {
                None | Some(b'\n') => return self.push(start, TokenKind::Illegal, true),
                Some(b'\\') if !matches!(self.peek(1), b'\n' | 0) => self.at += 2,
                Some(&byte) => {
                    self.at += 1;
                    if byte == quote {
                        let text = &self.source[start + 1..self.at - 1];
                        let legal = kind != TokenKind::Char || is_rune(text);
                        let kind = if legal { kind } else { TokenKind::Illegal };
                        return self.push(start, kind, true);
                    }
                }
            }
        }
    }

    fn digits(&mut self, hex: bool) {
        while matches!(self.peek(0), b'0'..=b'9' | b'_') || hex && self.peek(0).is_ascii_hexdigit()
        {
            self.at += 1;
        }
    }

    fn number(&mut self) {
        let (start, mut kind) = (self.at, TokenKind::Int);
        let prefix = if self.peek(0) == b'0' {
            self.peek(1).to_ascii_lowercase()
        } else {
            0
        };
        let hex = prefix == b'x';
        if matches!(prefix, b'x' | b'b' | b'o') {
            self.at += 2;
        }
        self.digits(hex);
        if self.peek(0) == b'.' {
            kind = TokenKind::Float;
            self.at += 1;
            self.digits(hex);
        }
        if matches!(self.peek(0).to_ascii_lowercase(), b'e' | b'p') {
            kind = TokenKind::Float;
            self.at += 1 + usize::from(matches!(self.peek(1), b'+' | b'-'));
            self.digits(false);
        }
        if self.peek(0) == b'i' {
            kind = TokenKind::Imag;
            self.at += 1;
        }
        self.push(start, kind, true);
    }

    /// An identifier or keyword, or a character that can start neither.
    fn word(&mut self) {
        let start = self.at;
        loop {
            let rest = &self.source[self.at..];
            let plain = rest
                .iter()
                .position(|&byte| !IN_WORDS[usize::from(byte)])
                .unwrap_or(rest.len());
            self.at += plain;
            let byte = self.peek(0);
            if byte < 0x80 {
                break;
            }
            let Some(letter) = decode(&self.source[self.at..]) else {
                break;
            };
            if !(letter.is_alphabetic() || letter.is_numeric() && self.at > start) {
                break;
            }
            self.at += letter.len_utf8();
        }
        if self.at == start {
            return self.illegal();
        }
        let text = &self.source[start..self.at];
        let (kind, ends) = if is_keyword(text) {
            let ends = matches!(text, b"break" | b"continue" | b"fallthrough" | b"return");
            (TokenKind::Keyword, ends)
        } else {
            (TokenKind::Ident, true)
        };
        self.push(start, kind, ends);
    }

    /// One character that Go has no use for; the line's end keeps its meaning.
    fn illegal(&mut self) {
        let (start, ends) = (self.at, self.semicolon.is_some());
        self.at += decode(&self.source[start..]).map_or(1, char::len_utf8);
        self.push(start, TokenKind::Illegal, ends);
    }

    fn operator(&mut self) {
        let start = self.at;
        let text = [self.peek(0), self.peek(1), self.peek(2)];
        let Some(length) = operator(text) else {
            return self.illegal();
        };
        self.at += length;
        let doubled = length == 2 && matches!(text[..2], [b'+', b'+'] | [b'-', b'-']);
        let ends = doubled || length == 1 && matches!(text[0], b')' | b']' | b'}');
        self.push(start, TokenKind::Op, ends);
    }
}

/// The ASCII bytes of which names and keywords are made.
const IN_WORDS: [bool; 256] = {
    let (mut all, mut byte) = ([false; 256], 0);
    while byte < 128 {
        all[byte] = byte as u8 == b'_' || (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    all
};

/// Whether a rune literal may hold this: an escape or one character.
fn is_rune(text: &[u8]) -> bool {
    text.first() == Some(&b'\\') || decode(text).is_some_and(|rune| rune.len_utf8() == text.len())
}

/// The first character of some bytes, if they are UTF-8.
fn decode(bytes: &[u8]) -> Option<char> {
    let head = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
    };
    valid.chars().next()
}

/// The length of the longest operator or delimiter that these bytes start with.
const fn operator(text: [u8; 3]) -> Option<usize> {
    Some(match text {
        [b'<', b'<', b'='] | [b'>', b'>', b'='] | [b'&', b'^', b'='] | [b'.', b'.', b'.'] => 3,
        [b'<', b'<' | b'-', _]
        | [b'>', b'>', _]
        | [b'&', b'^' | b'&', _]
        | [b'|', b'|', _]
        | [b'+', b'+', _]
        | [b'-', b'-', _]
        | [
            b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^' | b'=' | b'!' | b'<' | b'>'
            | b':',
            b'=',
            _,
        ] => 2,
        [
            b'(' | b')' | b'{' | b'}' | b'[' | b']' | b',' | b';' | b'.' | b':' | b'=' | b'+'
            | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^' | b'<' | b'>' | b'!' | b'~',
            ..,
        ] => 1,
        _ => return None,
    })
}

/// Whether a word is a keyword of Go.
#[must_use]
pub fn is_keyword(word: &[u8]) -> bool {
    // None is shorter or longer, and none begins with another letter.
    let may = |first: u8| matches!(first, b'b'..=b'g' | b'i' | b'm' | b'p' | b'r'..=b't' | b'v');
    if !(2..=11).contains(&word.len()) || !may(word[0]) {
        return false;
    }
    matches!(
        word,
        b"break"
            | b"case"
            | b"chan"
            | b"const"
            | b"continue"
            | b"default"
            | b"defer"
            | b"else"
            | b"fallthrough"
            | b"for"
            | b"func"
            | b"go"
            | b"goto"
            | b"if"
            | b"import"
            | b"interface"
            | b"map"
            | b"package"
            | b"range"
            | b"return"
            | b"select"
            | b"struct"
            | b"switch"
            | b"type"
            | b"var"
    )
}
