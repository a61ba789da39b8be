#![expect(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;

use super::*;
use crate::marks;

const PACKAGE: Package<'static> = Package {
    alias: "goat",
    path: "example.com/app/goat",
};

/// Writes blocks where `source` says `«n»` (a point), `«{n»`, `«}»`, `«!n»` (insert)
/// or `«=n»` (initialiser of `x`); checks that taking them out is the identity.
fn written(source: &str) -> String {
    let (mut plain, mut places) = (String::new(), Vec::new());
    for (index, part) in source.split('«').enumerate() {
        let rest = match (index, part.split_once('»')) {
            (1.., Some((word, rest))) => {
                let put = match word.split_at(usize::from(!word.starts_with(char::is_numeric))) {
                    ("{", number) => Put::Open(number.parse().unwrap()),
                    ("}", _) => Put::Close,
                    ("!", number) => Put::Insert(number.parse().unwrap()),
                    ("=", number) => Put::Var(number.parse().unwrap(), "x".into()),
                    (_, number) => Put::Point(number.parse().unwrap()),
                };
                places.push(Place {
                    at: plain.len(),
                    put,
                });
                rest
            }
            _ => part,
        };
        plain.push_str(rest);
    }
    let out = write(plain.as_bytes(), &places, PACKAGE);
    assert_eq!(
        marks::strip(&out).unwrap().as_deref(),
        Some(plain.as_bytes())
    );
    String::from_utf8(out).unwrap()
}

/// The lines after the import block, without the tips text that all share.
fn body(source: &str) -> String {
    let out = written(&format!("package a\n\n{source}"));
    let (_, rest) = out.split_once("// +goat:end\n\n").unwrap();
    rest.replace(
        "// +goat:tips: do not edit the block between the +goat comments",
        "// tips",
    )
}

#[test]
fn a_block_stands_before_its_statement() {
    assert_eq!(
        written("package a\n\nimport \"fmt\"\n\nfunc f() {\n\t«7»fmt.Println()\n}\n"),
        "package a

// +goat:import
// +goat:tips: do not edit the block between the +goat comments gap
import goat \"example.com/app/goat\"
// +goat:end

import \"fmt\"

func f() {
\t// +goat:generate
\t// +goat:tips: do not edit the block between the +goat comments
\tgoat.Track(goat.TRACK_ID_7)
\t// +goat:end
\tfmt.Println()
}
"
    );
}

#[test]
fn a_one_line_body_is_split() {
    assert_eq!(
        body("func f() int { «1»return 1 }\n"),
        "func f() int {
\t// +goat:generate
\t// tips rejoin=IA==
\tgoat.Track(goat.TRACK_ID_1)
\t// +goat:end
\treturn 1 }
"
    );
    assert_eq!(
        body("func f() {«1»}\n"),
        "func f() {\n\t// +goat:generate\n\t// tips rejoin=\n\tgoat.Track(goat.TRACK_ID_1)\n\t// +goat:end\n}\n"
    );
}

#[test]
fn an_empty_body_with_a_comment_takes_the_next_line() {
    assert_eq!(
        body("func f() {«1» // why\n}\n"),
        "func f() { // why\n\t// +goat:generate\n\t// tips\n\tgoat.Track(goat.TRACK_ID_1)\n\t// +goat:end\n}\n"
    );
}

#[test]
fn an_else_if_gets_braces() {
    assert_eq!(
        body("func f() {\n\tif a {\n\t} else «{1»if b {\n\t}«}»\n}\n"),
        "func f() {
\tif a {
\t} else {
\t\t// +goat:generate
\t\t// tips rejoin=IA== wrap
\t\tgoat.Track(goat.TRACK_ID_1)
\t\t// +goat:end
\t\tif b {
\t}
\t// +goat:generate
\t// tips
\t}
\t// +goat:end
}
"
    );
}

#[test]
fn many_places_on_one_line_and_one_place_for_many() {
    let out =
        body("var y = g(func() { «1»a() }, func() { «2»b() })\n\nfunc f() {\n\t«3»«4»c()\n}\n");
    assert_eq!(out.matches("rejoin=IA==").count(), 2);
    assert!(out.contains("\tgoat.Track(goat.TRACK_ID_3)\n\tgoat.Track(goat.TRACK_ID_4)\n"));
}

#[test]
fn an_insert_is_replaced_and_comes_back() {
    let out = body("func f() {\n\t«!1»// +goat:insert\n\tc()\n\td() «!2»// +goat:insert\n}\n");
    assert!(out.starts_with(
        "func f() {\n\t// +goat:generate\n\t// tips restore=CS8vICtnb2F0Omluc2VydAo=\n"
    ));
    assert!(out.contains("\td() // +goat:insert\n\t// +goat:generate\n\t// tips\n"));
}

#[test]
fn an_initialiser_is_followed_by_a_variable() {
    assert_eq!(
        body("var (\n\tx = f()«=1»\n\ty = 2\n)\n"),
        "var (\n\tx = f()\n\ty = 2\n)\n// +goat:generate\n// tips\nvar _ = goat.TrackInit(&x, goat.TRACK_ID_1)\n// +goat:end\n"
    );
    let out = body("var x = f()«=1»; var y = 2");
    assert!(
        out.starts_with("var x = f(); var y = 2\n// +goat:generate\n// tips rejoin=\n"),
        "{out}"
    );
}

#[test]
fn the_import_goes_after_the_package_clause_in_every_form() {
    for head in [
        "package a\n",
        "package a // import \"x/a\"\n",
        "package a; import \"fmt\"\n",
        "package a /* one\ntwo */\n",
        "// doc\n\n//go:build linux\n\npackage a\n// int x;\nimport \"C\"\n",
        "package a\r\n\r\nimport \"fmt\"\r\n",
        "\u{feff}package a\n",
    ] {
        let out = written(&format!("{head}func f() {{ «1»g() }}\n"));
        assert!(
            out.contains("import goat \"example.com/app/goat\""),
            "{out}"
        );
        assert!(
            !out.contains("+goat:end\n// int x"),
            "a preamble must stay alone: {out}"
        );
    }
}

#[test]
fn nothing_to_put_changes_nothing() {
    assert_eq!(write(b"package a\n", &[], PACKAGE), b"package a\n");
}

const SOURCES: [&str; 3] = [
    "package a\n\nfunc f(c bool) int { if c { return 1 } else if !c { g() }; return h(func() { i() }) }",
    "package a;import(\"fmt\");func f(){switch x{case 1:fmt.Println(`a\n// +goat:end\n`)\ndefault:}}\n/* end */ // more",
    "\u{feff}// doc\n\npackage a // c\n\nvar x, y = 1, `\n`\n\n\nfunc f() {\n\t/* a */ g( // b\n\t\t1) /* c\n\t*/ ; h()\n\tloop: i++\n}\n\n",
];

/// Whether the program is the same with a line end there.
fn may_end(text: &str, at: usize) -> bool {
    let (head, tail) = text.split_at(at);
    marks::is_same(format!("{head}\n{tail}").as_bytes(), text.as_bytes())
}

/// Whether a brace would begin a line or stand in a comment: goat opens one behind `else`
/// only, and what does not parse is refused before it gets here.
fn begins_line(text: &str, place: &Place) -> bool {
    let before = &text[..place.at];
    let gap = &before[before.trim_end().len()..];
    matches!(place.put, Put::Open(_)) && gap.contains('\n')
}

proptest! {
    #[test]
    fn taking_out_what_was_put_in_is_the_identity(
        source in 0..SOURCES.len(),
        picks in proptest::collection::vec((any::<prop::sample::Index>(), 0..4_u8), 1..12),
        crlf: bool,
    ) {
        let text = SOURCES[source].replace('\n', if crlf { "\r\n" } else { "\n" });
        let tokens: Vec<_> = token::scan(text.as_bytes())
            .into_iter()
            .filter(|token| token.kind != TokenKind::Comment && token.kind != TokenKind::AutoSemi)
            .skip(2)
            .collect();
        // A point stands where the line may end: goat puts none elsewhere.
        let mut places: Vec<Place> = picks
            .iter()
            .map(|(pick, put)| {
                let span = pick.get(&tokens).span;
                match put {
                    0 => Place { at: span.start, put: Put::Open(1) },
                    1 => Place { at: span.end, put: Put::Close },
                    2 => Place { at: span.end, put: Put::Var(2, "x".into()) },
                    _ => Place { at: span.start, put: Put::Point(3) },
                }
            })
            .collect();
        places.retain(|place| may_end(&text, place.at) && !begins_line(&text, place));
        places.sort_by_key(|place| place.at);
        places.dedup_by_key(|place| place.at);
        let out = write(text.as_bytes(), &places, PACKAGE);
        let stripped = marks::strip(&out);
        prop_assert!(stripped.is_ok(), "{}", String::from_utf8_lossy(&out));
        let Some(back) = stripped.unwrap_or_default() else {
            prop_assert!(places.is_empty());
            return Ok(());
        };
        prop_assert_eq!(String::from_utf8_lossy(&back), text, "{}", String::from_utf8_lossy(&out));
    }
}

/// The parts of a text with marks that stand apart from goat's blocks, by more than white
/// space, and where each begins in the text without.
fn apart(marked: &str, plain: &str) -> Vec<(std::ops::Range<usize>, usize)> {
    let marks = marks::parse(marked.as_bytes()).unwrap();
    let (mut parts, mut at, mut cursor) = (Vec::new(), 0, 0);
    let begin = |block: &marks::Block| {
        // With the brace that it opened.
        let brace = || marked[..block.span.start].trim_end().len() - 1;
        if block.wrap {
            brace()
        } else {
            block.span.start
        }
    };
    let spans: Vec<_> = marks
        .ours()
        .map(|block| (begin(block), block.span.end))
        .collect();
    for end in spans.iter().map(|span| span.0).chain([marked.len()]) {
        let start = at + marked[at..end].len() - marked[at..end].trim_start().len();
        let stop = start + marked[start..end].trim_end().len();
        if start < stop {
            cursor += plain[cursor..].find(&marked[start..stop]).unwrap();
            parts.push((start..stop, cursor));
            cursor += stop - start;
        }
        at = spans
            .iter()
            .map(|span| span.1)
            .find(|&next| next > end)
            .unwrap_or(end);
    }
    parts
}

/// What somebody may type or a tool may write.
const TYPED: [&str; 12] = [
    "/* c */",
    "// c\n",
    "/* c\n */",
    " ",
    "\t",
    "\n",
    "\r\n",
    ";",
    "\n\n",
    "x",
    "}",
    "// +goat",
];

/// Takes the blocks out of a text in which `typed` was put at `at`: what is not named is
/// the text without blocks with the same put in.
fn cleaned(
    marked: &str,
    plain: &str,
    parts: &[(std::ops::Range<usize>, usize)],
    at: usize,
    typed: &str,
) {
    let edited = format!("{}{typed}{}", &marked[..at], &marked[at..]);
    // A mark that does not fit is refused with its line.
    let Ok(parsed) = marks::parse(edited.as_bytes()) else {
        return;
    };
    let Ok(Some(stripped)) = marks::remove(edited.as_bytes(), &parsed) else {
        return;
    };
    if !stripped.left.is_empty() || !stripped.kept.is_empty() {
        return;
    }
    let result = String::from_utf8(stripped.source).unwrap();
    let part = parts
        .iter()
        .find(|(part, _)| part.start < at && at < part.end);
    if let Some((part, start)) = part {
        let to = start + at - part.start;
        let want = format!("{}{typed}{}", &plain[..to], &plain[to..]);
        assert_eq!(result, want, "{typed:?} at {at} of\n{marked}");
        return;
    }
    // Who writes into a block finds all that is not goat's again.
    let inside = |block: &marks::Block| block.span.start < at && at <= block.span.end;
    let unedited = marks::parse(marked.as_bytes()).unwrap();
    if unedited.ours().any(inside) {
        let mut bytes = result.bytes();
        let lost = plain
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .find(|&byte| !bytes.any(|other| other == byte));
        assert!(
            lost.is_none(),
            "{typed:?} at {at} of\n{edited}\ngave\n{result}"
        );
        return;
    }
    // Beside a block white space is goat's; whatever else was typed is still there, and
    // the rest is the program.
    let typed = typed.trim();
    let without = |(at, _): (usize, &str)| {
        let rest = format!("{}{}", &result[..at], &result[at + typed.len()..]);
        marks::is_same(rest.as_bytes(), plain.as_bytes())
    };
    assert!(
        result.match_indices(typed).any(without),
        "{typed:?} at {at} of\n{edited}\ngave\n{result}"
    );
}

#[test]
fn whatever_is_typed_anywhere_is_kept_or_named() {
    for source in [
        "package a\n\nfunc f(c bool) int { «1»if c { «2»return 1 } else «{3»if !c { «4»g() }«}»; «5»return h(func() { «6»i() }) }\n",
        "package a\n\nfunc f() {\n\t«1»a()\n\tb(); «2»c() // why\n\tfor { «3»d(); /* e */ «4»break }\n\tswitch {\n\tcase x: «5»y()\n\tdefault:\n\t\t«6»z()\n\t}\n}\n\nvar x = g()«=7»\n",
        "package a; func f() { «1»s := `a\nb`; «2»g(s) }; var y = g()«=3»; var z = 2",
    ] {
        for end in ["\n", "\r\n"] {
            let source = source.replace('\n', end);
            let marked = written(&source);
            let plain =
                String::from_utf8(marks::strip(marked.as_bytes()).unwrap().unwrap()).unwrap();
            let parts = apart(&marked, &plain);
            // Nobody types between the two bytes of a line end.
            let typable = |at: &usize| !marked[..*at].ends_with('\r');
            for at in (0..=marked.len()).filter(typable) {
                for typed in TYPED {
                    cleaned(&marked, &plain, &parts, at, typed);
                }
            }
        }
    }
}
