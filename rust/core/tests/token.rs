//! The scanner, token by token, and what counts as the same code.
use TokenKind::{
    AutoSemi, Char, Comment, Float, Ident, Illegal, Imag, Int, Keyword, Op, RawString,
};
use goat_core::token::{self, Token, TokenKind, directive, significant};

fn kinds(source: &str) -> Vec<(TokenKind, &str)> {
    let tokens = token::scan(source.as_bytes());
    let written = |token: &Token| (token.kind, &source[token.span.start..token.span.end]);
    tokens.iter().map(written).collect()
}

fn words(source: &str) -> String {
    let tokens = token::scan(source.as_bytes());
    let words = significant(source.as_bytes(), &tokens);
    let texts: Vec<_> = words
        .iter()
        .map(|word| String::from_utf8_lossy(&word.text))
        .collect();
    texts.join(" ")
}

#[test]
fn one_literal_is_one_token() {
    let string = TokenKind::String;
    for (kind, texts) in [
        (Int, "0 1 42 0x1F 0XaB_c 0b10 0B1_0 0o17 0O7 017 1_000"),
        (
            Float,
            "1. .5 1.5 1e3 1E+3 1e-3 .5e1 0x1p-2 0x.8P1 0x1.8p+0 1_0.5",
        ),
        (Imag, "1i 0x1i .5i 1e3i 0b1i"),
        (
            Char,
            r"'a' '\'' '\\' '\n' '\x00' '\u00e9' '\U0001F600' '\377' '本' '`'",
        ),
        (string, r#""" "a" "\"" "\\" "'" "`" "日本""#),
        (RawString, r#"`` `a` `"` `\`"#),
        (Ident, "a _ _a a1 ä 世界 x١ nil new iota Break"),
        (
            Keyword,
            "break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var",
        ),
        (
            Op,
            "+ & += &= && == != ( ) - | -= |= || < <= [ ] * ^ *= ^= <- > >= { } / << /= <<= ++ = := , ; % >> %= >>= -- ! ... . : &^ &^= ~",
        ),
        (Illegal, "@ # $ ? \\ \u{7f} ∀ '' 'ab"),
        (Comment, "/**/ /*a*/ /***/ //"),
    ] {
        for text in texts.split(' ') {
            let found = kinds(text);
            assert_eq!(found[0], (kind, text), "{text}");
            assert!(found[1..].iter().all(|token| token.0 == AutoSemi), "{text}");
        }
    }
}

#[test]
fn literals_without_an_end_are_illegal() {
    assert_eq!(kinds("\"a\nb")[..2], [(Illegal, "\"a"), (AutoSemi, "")]);
    assert_eq!(
        kinds("'\\\n'"),
        [
            (Illegal, "'\\"),
            (AutoSemi, ""),
            (Illegal, "'"),
            (AutoSemi, "")
        ]
    );
    assert_eq!(kinds("`a\nb"), [(Illegal, "`a\nb"), (AutoSemi, "")]);
    assert_eq!(
        kinds("a /* b\nc"),
        [(Ident, "a"), (AutoSemi, ""), (Illegal, "/* b\nc")]
    );
    assert_eq!(token::scan(b"a\xFFb\x00").len(), 5);
}

#[test]
fn lines_end_statements_only_after_some_tokens() {
    for (line, ends) in [
        ("a", true),
        ("1", true),
        ("'a'", true),
        ("`a`", true),
        ("break", true),
        ("continue", true),
        ("fallthrough", true),
        ("return", true),
        ("x++", true),
        ("x--", true),
        ("f()", true),
        ("a[1]", true),
        ("{}", true),
        ("if", false),
        ("a +", false),
        ("f(", false),
        ("a,", false),
        ("a;", false),
        ("{", false),
        ("", false),
        ("range", false),
        ("a.", false),
        ("// a", false),
    ] {
        for end in [
            "",
            "\n",
            "\r\n",
            " // c",
            " // c\n",
            " /* c */ // d\n",
            " /* c\n */ b",
        ] {
            let source = format!("{line}{end}");
            let first = kinds(&source)
                .iter()
                .filter(|token| token.0 == AutoSemi)
                .count();
            let rest = usize::from(end.ends_with('b'));
            assert_eq!(first, usize::from(ends) + rest, "{source:?}");
        }
    }
}

#[test]
fn automatic_semicolons_stand_behind_their_token() {
    let source = b"a /* b */ // c\n";
    let tokens = token::scan(source);
    let kinds: Vec<TokenKind> = tokens.iter().map(|token| token.kind).collect();
    assert_eq!(kinds, [Ident, AutoSemi, Comment, Comment]);
    assert_eq!((tokens[1].span.start, tokens[1].span.end), (1, 1));
    assert_eq!(tokens[1].text(source), b";");
    assert!(tokens[1].is_semicolon(source) && !tokens[0].is_semicolon(source));
}

#[test]
fn layout_and_comments_are_the_same_code() {
    for (a, b) in [
        ("f(a, b)\n", "f(\n\ta, // first\n\tb,\n)\n"),
        ("x := []int{1, 2}\n", "x := []int{\n1,\n2,\n}\n"),
        ("a[b]\n", "a[\nb,\n]\n"),
        ("if x { a(); b() }\n", "if x {\n\ta()\n\tb()\n}\n"),
        ("func f() {}\n", "func f() {\n}\n"),
        ("a; b;\n", "a\nb;\n"),
        (
            "type t struct { a int; b string }\n",
            "type t struct {\n\ta int\n\tb string\n}\n",
        ),
        ("const ( a = 1; b )\n", "const (\n\ta = 1\n\tb\n)\n"),
        ("x = `a\nb`\n", "x = `a\r\nb`\r\n"),
        ("a\n", "\u{feff}a // b\n"),
    ] {
        assert_eq!(words(a), words(b), "{a}");
    }
    assert_eq!(words("f(a,) /* b */; }"), "f ( a ) } ;");
}

#[test]
fn other_code_is_other_code() {
    for (a, b) in [
        ("a\n(b)\n", "a(b)\n"),
        ("a; b\n", "a b\n"),
        ("f(a, b)\n", "f(a b)\n"),
        ("\"a\"\n", "`a`\n"),
        ("1.0\n", "1.00\n"),
        ("a -b\n", "a - - b\n"),
        ("`a`\n", "` a`\n"),
        ("for ;; {\n", "for {\n"),
    ] {
        assert_ne!(words(a), words(b), "{a}");
    }
}

#[test]
fn directives() {
    for comment in [
        "//go:nosplit",
        "//go:build a && b",
        "//goat:ignore",
        "//line a.go:1",
        "//export F",
        "//extern f",
        "//nolint:all",
        "//go:embed x\r",
    ] {
        assert_eq!(
            directive(comment.as_bytes()),
            Some(comment[2..].trim_end().as_bytes()),
            "{comment}"
        );
    }
    for comment in [
        "// go:nosplit",
        "//Go:x",
        "//a: b",
        "//go:",
        "//:go",
        "/*go:x*/",
        "// text",
        "//",
        "//see a.b:c",
    ] {
        assert_eq!(directive(comment.as_bytes()), None, "{comment}");
    }
}
