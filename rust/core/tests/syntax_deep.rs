//! Code that nests deeper than any stack.

use goat_core::model::FileSyntax;
use goat_core::syntax;

const DEPTH: usize = 20_000;

/// Parses on a stack that recursion on the nesting would overflow at once.
fn parse(source: String) -> FileSyntax {
    let thread = std::thread::Builder::new().stack_size(256 * 1024);
    let parse = thread
        .spawn(move || syntax::parse(source.as_bytes()))
        .expect("a thread");
    parse.join().expect("no panic")
}

fn nested(open: &str, inner: &str, close: &str) -> FileSyntax {
    let (open, close) = (open.repeat(DEPTH), close.repeat(DEPTH));
    parse(format!(
        "package p\n\nfunc f() {{\n{open}{inner}{close}\n}}\n\nfunc g() {{ h() }}\n"
    ))
}

#[test]
fn parentheses() {
    let file = nested("(", "x", ")");
    assert_eq!(file.errors, vec![]);
    assert_eq!(file.stmts.len(), 2);
    let file = nested("_ = (", "x", ")");
    assert_eq!(file.errors.len(), 1);
    assert_eq!(file.funcs[1].name, "g");
    assert_eq!(file.stmts.len(), 1);
}

#[test]
fn blocks() {
    let file = nested("{", "x()", "}");
    assert_eq!(file.errors, vec![]);
    assert_eq!(file.stmts.len(), DEPTH + 2);
}

#[test]
fn literals() {
    let file = nested("f(func() { ", "x()", " })");
    assert_eq!(file.errors, vec![]);
    assert_eq!(file.funcs.len(), DEPTH + 2);
}

#[test]
fn else_ifs() {
    let file = nested("if a { b() } else ", "{ c() }", "");
    assert_eq!(file.errors, vec![]);
    assert_eq!(file.stmts.len(), 2 * DEPTH + 2);
}

#[test]
fn operators() {
    let file = nested("x + ", "x", "");
    assert_eq!(file.errors, vec![]);
    let file = nested("!-&*<-", "x", "");
    assert_eq!(file.errors, vec![]);
}

#[test]
fn types() {
    for (open, inner, close) in [
        ("x[", "x", "]"),
        ("f(a[b](c), ", "x", ")"),
        ("[]func() ", "int{}", ""),
        ("T{", "", "}"),
    ] {
        assert_eq!(nested(open, inner, close).errors, vec![], "{open}");
    }
    for open in [
        "_ = make([]",
        "new(",
        "map[",
        "func(",
        "[]",
        "*",
        "chan ",
        "x[",
        "T{",
    ] {
        let file = nested(open, "x", "");
        assert_eq!(file.funcs.len(), 2, "{open}");
    }
    let file = nested("var x ", "= [][][]int{{{}}}", "");
    assert_eq!(file.funcs.len(), 2);
}

#[test]
fn labels() {
    let file = nested("L: ", "x()", "");
    assert_eq!(file.errors, vec![]);
    assert_eq!(file.stmts.len(), DEPTH + 2);
}

#[test]
fn nothing_is_closed() {
    for open in [
        "(",
        "[",
        "{",
        "if x {",
        "func() {",
        "switch {\ncase x:\n",
        "\nfunc f() {\n",
    ] {
        let file = parse(format!("package p\n{}", open.repeat(DEPTH)));
        assert!(!file.errors.is_empty(), "{open}");
    }
    for close in [")", "]", "}"] {
        let file = parse(format!("package p\n{}", close.repeat(DEPTH)));
        assert!(!file.errors.is_empty(), "{close}");
    }
}
