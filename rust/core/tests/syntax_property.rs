//! Any bytes at all: no panic, and a result that holds together.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use goat_core::model::{BlockKind, FileSyntax, Owner, Span};
use goat_core::syntax;
use goat_core::token::{self, TokenKind, significant};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::sync::OnceLock;

/// How many inputs each property sees; 100 times as many with `GOAT_FULL=1`.
fn config() -> ProptestConfig {
    let cases = if std::env::var("GOAT_FULL").is_ok() {
        20_000
    } else {
        200
    };
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_bytes(source in vec(any::<u8>(), 0..400)) {
        check(&source);
    }

    #[test]
    fn random_words(words in vec(select(WORDS.to_vec()), 0..200)) {
        check(words.join(" ").as_bytes());
        check(words.concat().as_bytes());
    }

    #[test]
    fn mutations_of_real_files(
        file in any::<Index>(),
        edits in vec((any::<Index>(), 0..40_usize, vec(select(WORDS.to_vec()), 0..3)), 1..6),
    ) {
        let mut source = file.get(corpus()).clone();
        for (at, remove, words) in edits {
            let start = at.index(source.len());
            let end = (start + remove).min(source.len());
            source.splice(start..end, words.concat().bytes());
        }
        check(&source);
    }

    #[test]
    fn layout_is_no_change(file in any::<Index>(), gaps in vec((any::<Index>(), select(vec![" ", "\t", "/* c */", " \r"])), 1..6)) {
        let source = file.get(corpus());
        let tokens = token::scan(source);
        let mut spaced = source.clone();
        let mut places: Vec<(usize, &str)> = gaps.iter().map(|(at, gap)| (at.get(&tokens).span.start, *gap)).collect();
        places.sort_unstable();
        for (at, gap) in places.into_iter().rev() {
            spaced.splice(at..at, gap.bytes());
        }
        let words = |source: &[u8]| -> Vec<Vec<u8>> {
            let tokens = token::scan(source);
            significant(source, &tokens).into_iter().map(|word| word.text.into_owned()).collect()
        };
        prop_assert_eq!(words(source), words(&spaced));
    }
}

const WORDS: [&str; 64] = [
    "package p\n",
    "import",
    "\"fmt\"",
    "func",
    "f",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    ";",
    "\n",
    ":",
    ":=",
    "=",
    ".",
    "...",
    "<-",
    "*",
    "&",
    "+",
    "if",
    "else",
    "for",
    "range",
    "switch",
    "case",
    "default",
    "select",
    "go",
    "defer",
    "return",
    "break",
    "goto",
    "fallthrough",
    "var",
    "const",
    "type",
    "struct",
    "interface",
    "map",
    "chan",
    "new",
    "make",
    "nil",
    "x",
    "T",
    "1",
    "'a'",
    "`r`",
    "\"",
    "`",
    "'",
    "/*",
    "*/",
    "//",
    "\u{feff}",
    "é",
    "\0",
    "\nfunc f() {\n",
    "\r\n",
    "panic(",
];

/// Files of the standard library that use much of the language.
fn corpus() -> &'static [Vec<u8>] {
    static CORPUS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let src = common::goroot().join("src");
        let names = [
            "sync/map.go",
            "slices/sort.go",
            "text/template/exec.go",
            "go/scanner/scanner.go",
            "io/pipe.go",
            "context/context.go",
        ];
        names
            .iter()
            .map(|name| std::fs::read(src.join(name)).unwrap())
            .collect()
    })
}

/// What holds for every result.
fn check(source: &[u8]) {
    let tokens = token::scan(source);
    check_tokens(source, &tokens);
    let file = syntax::parse(source);
    check_owners(source, &tokens, &file);
    check_functions(source, &file);
    check_lists(source, &file);
    for error in &file.errors {
        assert!(
            inside(error.span, source)
                && error.span.start <= error.at
                && error.at <= error.span.end
        );
        assert!(error.func.is_none_or(|id| file.funcs[id].body.is_none()));
    }
}

fn inside(span: Span, source: &[u8]) -> bool {
    span.start <= span.end && span.end <= source.len()
}

fn check_tokens(source: &[u8], tokens: &[token::Token]) {
    let mut at = 0;
    for token in tokens {
        assert!(inside(token.span, source) && at <= token.span.start);
        assert!(blank(&source[at..token.span.start]));
        assert_eq!(
            token.kind == TokenKind::AutoSemi,
            token.span.start == token.span.end
        );
        at = token.span.end;
    }
    assert!(blank(&source[at..]));
}

fn blank(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    bytes.iter().all(|byte| b" \t\r\n".contains(byte))
}

fn check_owners(source: &[u8], tokens: &[token::Token], file: &FileSyntax) {
    let mut at = 0;
    for (span, _) in &file.owners {
        assert!(at <= span.start && span.start < span.end && inside(*span, source));
        at = span.end;
    }
    for token in tokens
        .iter()
        .filter(|token| token.span.start < token.span.end)
    {
        let owner = file.owner(token.span.start);
        // Only semicolons before the first declaration are nobody's.
        let known = owner.is_some() || token.is_semicolon(source);
        assert_eq!(known, token.kind != TokenKind::Comment, "{token:?}");
        assert_eq!(owner, file.owner(token.span.end - 1));
    }
    for (_, owner) in &file.owners {
        if let Owner::Stmt(id) | Owner::Label(id) = owner {
            assert!(*id < file.stmts.len());
        }
    }
}

fn check_functions(source: &[u8], file: &FileSyntax) {
    let mut start = 0;
    for (id, func) in file.funcs.iter().enumerate() {
        assert!(inside(func.span, source) && func.span.encloses(func.signature));
        assert!(start <= func.span.start);
        start = func.span.start;
        assert!(
            func.parent
                .is_none_or(|parent| parent < id && file.funcs[parent].span.encloses(func.span))
        );
        if let Some(body) = func.body {
            let body = &file.blocks[body];
            assert_eq!(
                (body.func, body.kind, body.owner),
                (id, BlockKind::Body, None)
            );
            assert!(func.signature.end <= body.span.start && func.span.end == body.span.end);
        }
    }
}

fn check_lists(source: &[u8], file: &FileSyntax) {
    for (id, block) in file.blocks.iter().enumerate() {
        assert!(inside(block.span, source) && file.funcs[block.func].span.encloses(block.span));
        assert!(block.open <= block.entry && block.entry <= block.span.end);
        let mut at = block.open;
        for &member in &block.stmts {
            let member = &file.stmts[member];
            assert_eq!(member.block, id);
            assert!(at <= member.span.start && block.span.encloses(member.span));
            at = member.span.end;
        }
    }
    for (id, stmt) in file.stmts.iter().enumerate() {
        assert!(stmt.span.start <= stmt.header_end && stmt.header_end <= stmt.span.end);
        assert!(file.blocks[stmt.block].stmts.contains(&id));
        let mut at = stmt.span.start;
        for &block in &stmt.blocks {
            let block = &file.blocks[block];
            assert_eq!(block.owner, Some(id));
            assert!(at <= block.span.start && stmt.span.encloses(block.span));
            at = block.span.end;
        }
        assert!(stmt.condition.iter().all(|part| stmt.span.encloses(*part)));
        assert!(
            stmt.literals
                .iter()
                .all(|&func| file.funcs[func].parent_stmt == Some(id))
        );
    }
}
