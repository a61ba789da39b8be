//! Operands without code inside them, as the tokens tell: the grammar need not read them.

use super::file::File;
use crate::token::TokenKind;

/// Brackets with more tokens are left to the grammar, so that each token is looked at a
/// few times only.
const LONGEST: usize = 64;

/// What is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Call,
    Index,
    Parenthesis,
}

/// The last token of `a.b.c`, if such names start at a token.
pub(super) fn selector_end(file: &File<'_>, at: usize) -> Option<usize> {
    let goes_on = |at: usize| file.is(at + 1, b".") && file.is_ident(at + 2);
    if !file.is_ident(at) || !goes_on(at) {
        return None;
    }
    let mut last = at;
    while goes_on(last) {
        last += 2;
    }
    Some(last)
}

/// Whether the brackets of a call hold expressions of names, literals, operators, calls
/// and indices, and nothing else. What is doubtful is not plain.
pub(super) fn are_plain(file: &File<'_>, open: usize, close: usize) -> bool {
    if close - open > LONGEST {
        return false;
    }
    let mut around = [Open::Call; LONGEST];
    let mut depth = 0;
    // Whether an operand has to come; if not, whether what stands there may be called,
    // indexed and selected from.
    let (mut wanted, mut named) = (true, false);
    let mut at = open + 1;
    while at < close {
        let text = file.text(at);
        match (file.kind(at), wanted) {
            (Some(TokenKind::Ident), true) if is_plain_name(text) => {
                (wanted, named) = (false, true);
            }
            (Some(kind), true) if is_literal(kind) => (wanted, named) = (false, false),
            (Some(TokenKind::Op), true) => match text {
                b"&" | b"!" | b"-" | b"+" | b"^" | b"*" => {}
                b"(" => {
                    depth += 1;
                    around[depth] = Open::Parenthesis;
                }
                // No argument, or a comma after the last.
                b")" if depth > 0 && around[depth] == Open::Call && may_end(file, at) => {
                    depth -= 1;
                    (wanted, named) = (false, true);
                }
                _ => return false,
            },
            (Some(TokenKind::Op), false) => match text {
                b"." if named && file.is_ident(at + 1) && is_plain_name(file.text(at + 1)) => {
                    at += 1;
                }
                b"(" | b"[" if named => {
                    depth += 1;
                    around[depth] = if text == b"(" {
                        Open::Call
                    } else {
                        Open::Index
                    };
                    wanted = true;
                }
                b")" if depth > 0 && around[depth] != Open::Index => {
                    depth -= 1;
                    named = true;
                }
                b"]" if depth > 0 && around[depth] == Open::Index => {
                    depth -= 1;
                    named = true;
                }
                b"," if around[depth] == Open::Call => wanted = true,
                b"+" | b"-" | b"*" | b"/" | b"%" | b"&" | b"|" | b"^" | b"<<" | b">>" | b"&^"
                | b"&&" | b"||" | b"==" | b"!=" | b"<" | b"<=" | b">" | b">=" => wanted = true,
                _ => return false,
            },
            _ => return false,
        }
        at += 1;
    }
    depth == 0 && (!wanted || may_end(file, close))
}

const fn is_literal(kind: TokenKind) -> bool {
    use TokenKind::{Char, Float, Imag, Int, RawString, String};
    matches!(kind, Int | Float | Imag | Char | String | RawString)
}

/// Whether arguments may end here where one could come.
fn may_end(file: &File<'_>, close: usize) -> bool {
    file.is(close - 1, b"(") || file.is(close - 1, b",")
}

/// The first arguments of `new` and `make` are types, and `_` is no operand.
fn is_plain_name(text: &[u8]) -> bool {
    !matches!(text, b"_" | b"new" | b"make")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::chunks::split;
    use crate::token::scan;

    fn plain(arguments: &str) -> bool {
        let source = format!("func f() {{ g({arguments}) }}");
        let mut file = File::new(source.as_bytes(), &scan(source.as_bytes()));
        split(&mut file);
        let close = file.pair(6).expect("the brackets are a pair");
        are_plain(&file, 6, close)
    }

    #[test]
    fn knows_plain_arguments() {
        for arguments in [
            "a",
            "a, b.c",
            "-1, \"s\", 'r', `w`, 2i",
            "&a, *b, !c",
            "a+b*(c-d)",
            "a(b)(c)",
            "a()",
            "a(b,)",
            "a,",
            "a[i].b",
            "a[f(x)+1]",
            "(a)",
            "a == b && c <= d",
            "- -a",
        ] {
            assert!(plain(arguments), "{arguments}");
        }
    }

    #[test]
    fn leaves_the_rest_to_the_grammar() {
        for arguments in [
            "func() {}",
            "T{}",
            "[]int{}",
            "a...",
            "a.(T)",
            "a[i:j]",
            "a[i, j]",
            "a[]",
            "<-a",
            "_",
            "new(a)",
            "make(a)",
            "a b",
            "a,, b",
            ", a",
            "(a, b)",
            "()",
            "a +",
            "1(a)",
            "a.1",
            "map[a]b",
            "chan a",
            "struct{}{}",
            "a := b",
            "a; b",
            "@",
            "a.b.",
            "1.2.a",
            "(a,)",
        ] {
            assert!(!plain(arguments), "{arguments}");
        }
    }
}
