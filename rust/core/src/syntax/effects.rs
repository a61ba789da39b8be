//! What of an expression runs, as far as its tokens tell: what may panic or be seen from
//! outside. Names have no types here, so that in doubt something runs.

use std::collections::HashSet;

use super::file::File;
use crate::token::TokenKind;

/// Whether an operation with one operand may panic or be seen: a receive, a dereference.
pub(super) fn reaches_out(file: &File<'_>, operator: usize) -> bool {
    file.is(operator, b"<-") || file.is(operator, b"*")
}

/// Whether `a.b` may follow a nil pointer: all but a name of another package.
pub(super) fn follows(file: &File<'_>, first: usize, last: usize) -> bool {
    !(last == first + 2 && names_package(file, first))
}

/// Whether `left OPERATOR right` may panic: a division or shift by what is no constant, a
/// comparison of what may be interfaces.
pub(super) fn may_panic(file: &File<'_>, left: Tokens, operator: usize, right: Tokens) -> bool {
    match file.text(operator) {
        b"/" | b"%" | b"<<" | b">>" => !is_constant(file, right),
        b"==" | b"!=" => !is_constant(file, left) && !is_constant(file, right),
        _ => false,
    }
}

/// Tokens, the first and one past the last.
pub(super) type Tokens = (usize, usize);

/// Whether an operand does more than to name or compute a value: it calls, indexes,
/// receives.
pub(super) fn does_more(file: &File<'_>, (first, end): Tokens) -> bool {
    (first..end).any(|at| {
        matches!(file.text(at), b"(" | b"[" | b"<-") && file.kind(at) == Some(TokenKind::Op)
    })
}

/// Whether these tokens are a constant for sure: literals and names that are known.
fn is_constant(file: &File<'_>, (first, end): Tokens) -> bool {
    let mut at = first;
    while at < end {
        let known = match file.kind(at) {
            Some(TokenKind::Ident) if file.is(at + 1, b".") => {
                // Constants, all that may stand in an arithmetic expression.
                let of_constants = matches!(file.text(at), b"time" | b"math");
                at += 2;
                of_constants && !file.is(at + 1, b"(")
            }
            Some(TokenKind::Ident) => {
                let text = file.text(at);
                matches!(text, b"nil" | b"true" | b"false" | b"iota")
                    || file
                        .constants
                        .get_or_init(|| constants(file))
                        .contains(text)
            }
            Some(TokenKind::Op) => !file.is(at, b"<-") && !file.is(at, b"["),
            Some(TokenKind::Keyword | TokenKind::Illegal) | None => false,
            Some(_) => true,
        };
        if !known {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether `x[…]` names an instance of a generic function: what stands inside is a type.
pub(super) fn instantiates(file: &File<'_>, last: usize) -> bool {
    let Some(open) = file.pair(last).filter(|_| file.is(last, b"]")) else {
        return false;
    };
    let inside = open + 1..last;
    let several = inside.clone().any(|at| file.is(at, b","));
    let keyword = matches!(
        file.text(open + 1),
        b"map" | b"chan" | b"func" | b"struct" | b"interface" | b"["
    );
    several || keyword || inside.len() == 1 && is_basic(file.text(open + 1))
}

/// Whether a word is a predeclared type whose values never panic as keys.
fn is_basic(word: &[u8]) -> bool {
    matches!(
        word,
        b"bool"
            | b"byte"
            | b"complex128"
            | b"complex64"
            | b"error"
            | b"float32"
            | b"float64"
            | b"int"
            | b"int16"
            | b"int32"
            | b"int64"
            | b"int8"
            | b"rune"
            | b"string"
            | b"uint"
            | b"uint16"
            | b"uint32"
            | b"uint64"
            | b"uint8"
            | b"uintptr"
    )
}

/// Whether a `map[K]V{…}` has a key that is no constant and may not be fit for one.
pub(super) fn has_variable_key(file: &File<'_>, first: usize, last: usize) -> bool {
    if !file.is(first, b"map") {
        return false;
    }
    let Some(close) = file.pair(first + 1) else {
        return false;
    };
    let basic =
        close == first + 3 && file.text(first + 2) != b"error" && is_basic(file.text(first + 2));
    let Some(open) = file.pair(last).filter(|_| !basic) else {
        return false;
    };
    let (mut at, mut key) = (open + 1, open + 1);
    while at < last {
        match file.text(at) {
            b"(" | b"[" | b"{" => at = file.pair(at).unwrap_or(at),
            b":" if !is_constant(file, (key, at)) => return true,
            b"," => key = at + 1,
            _ => {}
        }
        at += 1;
    }
    false
}

/// The names that a file declares as constants outside functions.
fn constants<'s>(file: &File<'s>) -> HashSet<&'s [u8]> {
    let mut names = HashSet::new();
    let mut at = 0;
    while at < file.tokens.len() {
        match file.text(at) {
            b"const" if file.is(at + 1, b"(") => {
                let end = file.pair(at + 1).unwrap_or(at + 1);
                for first in at + 2..end {
                    if first == at + 2 || file.is_semicolon(first - 1) {
                        declared(file, first, &mut names);
                    }
                }
                at = end;
            }
            b"const" => declared(file, at + 1, &mut names),
            b"(" | b"[" | b"{" => at = file.pair(at).unwrap_or(at),
            _ => {}
        }
        at += 1;
    }
    names
}

fn declared<'s>(file: &File<'s>, first: usize, names: &mut HashSet<&'s [u8]>) {
    let mut at = first;
    while file.is_ident(at) {
        names.insert(file.text(at));
        if !file.is(at + 1, b",") {
            break;
        }
        at += 2;
    }
}

/// Whether an identifier is the name of an import, as far as its path tells.
fn names_package(file: &File<'_>, name: usize) -> bool {
    let text = file.text(name);
    let mut at = 0;
    while at < file.tokens.len() && !matches!(file.text(at), b"func" | b"var" | b"type" | b"const")
    {
        let path = matches!(
            file.kind(at),
            Some(TokenKind::String | TokenKind::RawString)
        );
        if path && at > 0 {
            let named = file.is_ident(at - 1);
            if named && file.text(at - 1) == text || !named && fits(file.text(at), text) {
                return true;
            }
        }
        at += 1;
    }
    false
}

/// Whether a package of this path (in quotes) is likely to have this name: a word of its
/// last element, or of the one before a major version.
fn fits(path: &[u8], name: &[u8]) -> bool {
    let path = &path[1..path.len().max(2) - 1];
    let holds = |element: &[u8]| memchr::memmem::find(element, name).is_some();
    path.rsplit(|&byte| byte == b'/').take(2).any(holds)
}
