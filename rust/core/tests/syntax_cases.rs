//! What Go's parser cannot tell: damage, directives, cgo, newer Go than the one here.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use goat_core::model::{BlockKind, FileSyntax, Owner, Span, StmtKind};
use goat_core::syntax;

fn parse(source: &str) -> FileSyntax {
    syntax::parse(source.as_bytes())
}

fn names(file: &FileSyntax) -> Vec<&str> {
    file.funcs.iter().map(|func| func.name.as_str()).collect()
}

/// The damaged parts: text of the first line, rest from the damaged place, name.
fn errors<'s>(source: &'s str, file: &FileSyntax) -> Vec<(&'s str, &'s str, String)> {
    let line = |text: &'s str| text.lines().next().unwrap_or_default();
    let errors = file.errors.iter().map(|error| {
        let name = error.func.map(|id| file.funcs[id].name.clone());
        let span = &source[error.span.start..error.span.end];
        (
            line(span),
            line(&source[error.at..]),
            name.unwrap_or_default(),
        )
    });
    errors.collect()
}

/// Each statement as its kind and the first line of its text.
fn statements<'s>(source: &'s str, file: &FileSyntax) -> Vec<(StmtKind, &'s str)> {
    let text = |span: Span| {
        source[span.start..span.end]
            .lines()
            .next()
            .unwrap_or_default()
    };
    file.stmts
        .iter()
        .map(|stmt| (stmt.kind, text(stmt.span)))
        .collect()
}

/// The text of the pieces that an owner has.
fn owned(source: &str, file: &FileSyntax, wanted: Owner) -> String {
    let pieces = file.owners.iter().filter(|(_, owner)| *owner == wanted);
    let texts: Vec<&str> = pieces
        .map(|(span, _)| &source[span.start..span.end])
        .collect();
    texts.join(" ")
}

#[test]
fn a_damaged_function_is_lost_alone() {
    let source =
        "package p\n\nfunc a() { b() }\n\nfunc (t *T) c() {\n\tx := := 1\n}\n\nfunc d() { e() }\n";
    let file = parse(source);
    assert_eq!(names(&file), ["a", "(*T).c", "d"]);
    assert_eq!(
        errors(source, &file),
        [("func (t *T) c() {", ":= 1", "(*T).c".to_string())]
    );
    assert_eq!(
        statements(source, &file),
        [(StmtKind::Simple, "b()"), (StmtKind::Simple, "e()")]
    );
    let lost = &file.funcs[1];
    assert_eq!(
        &source[lost.signature.start..lost.signature.end],
        "func (t *T) c()"
    );
    assert_eq!(lost.body, None);
    assert_eq!(
        owned(source, &file, Owner::Error),
        "func (t *T) c() { x := := 1 }"
    );
}

#[test]
fn an_unclosed_function_ends_where_the_next_declaration_starts() {
    let source = "package p\n\nfunc a() {\n\tif x {\n\tb(\n}\n\ntype T int\n\nvar v = 1\n\nfunc (t T) c() { d() }\nfunc e[P any]() {\n";
    let file = parse(source);
    assert_eq!(names(&file), ["a", "T.c", "e"]);
    let lost: Vec<String> = errors(source, &file)
        .into_iter()
        .map(|(_, _, name)| name)
        .collect();
    assert_eq!(lost, ["a", "e"]);
    assert_eq!(owned(source, &file, Owner::Type), "type T int");
    assert_eq!(file.vars.len(), 1);
    assert_eq!(statements(source, &file), [(StmtKind::Simple, "d()")]);
}

#[test]
fn a_brace_too_many_is_its_own_error() {
    let source = "package p\n\nfunc a() { b() }\n}\n\nfunc c() { d() }\n";
    let file = parse(source);
    assert_eq!(errors(source, &file), [("}", "}", String::new())]);
    assert_eq!(file.stmts.len(), 2);
}

#[test]
fn damage_outside_functions_has_no_function() {
    for damaged in [
        "x := 1",
        "func() { a() }()",
        "import fmt",
        "import",
        "import (\n\t\"a\"\n\t1\n)",
        "var",
        "var x",
        "type",
        "const = 1",
        "type T struct { a b c }",
        "func",
        "func ()",
        "package",
        "var s = \"unterminated",
        "else",
        "# no Go",
        "{ a() }",
        "\u{0}",
    ] {
        let source =
            format!("package p\n\nfunc a() {{ b() }}\n\n{damaged}\n\nfunc c() {{ d() }}\n");
        let file = parse(&source);
        assert_eq!(names(&file), ["a", "c"], "{damaged}");
        assert_eq!(file.errors.len(), 1, "{damaged}");
        assert_eq!(file.errors[0].func, None, "{damaged}");
        assert_eq!(file.stmts.len(), 2, "{damaged}");
    }
}

#[test]
fn what_has_no_end_takes_the_rest_of_the_file() {
    for open in ["`", "/*", "\"\\\n`"] {
        let source =
            format!("package p\n\nfunc a() {{ b() }}\n\nvar x = {open} func c() {{ d() }}\n");
        let file = parse(&source);
        assert_eq!(names(&file), ["a"], "{open}");
        assert!(!file.errors.is_empty(), "{open}");
    }
}

#[test]
fn statements_without_a_list_are_refused() {
    for body in [
        "if { a() }",
        "for a; b { c() }",
        "else { a() }",
        "case a:",
        "a b",
        "return return",
        "var x",
        "func f() { a() }",
        "import \"a\"",
        "x = @",
        "if x\n{ a() }",
        "a(b\nc)",
        "if x { a() }\nelse { b() }",
        "switch x { a() }",
        "select { case 1 + 2, 3: }",
        "x.",
        "x[",
        "goto",
        "1..2",
        "''",
    ] {
        let source = format!("package p\n\nfunc f() {{\n\t{body}\n}}\n\nfunc g() {{ h() }}\n");
        let file = parse(&source);
        assert_eq!(file.errors.len(), 1, "{body}");
        assert_eq!(file.stmts.len(), 1, "{body}");
    }
}

#[test]
fn nothing_at_all() {
    for source in [
        "",
        "\n",
        "\u{feff}",
        "// only a comment",
        "\u{feff}package p",
        "package",
    ] {
        let file = parse(source);
        assert!(file.funcs.is_empty());
        assert_eq!(
            file.errors.len(),
            usize::from(source == "package"),
            "{source}"
        );
    }
    assert_eq!(parse("\u{feff}package p").package, "p");
    assert_eq!(parse("\u{feff}package p").package_end, 12);
}

#[test]
fn generic_methods_of_go_1_27() {
    let source = "package p\n\nfunc (r *T[K]) M[P any, Q interface{ ~[]P }](p P) (q Q) { return f[P](p) }\nfunc (T) N[P any](P) {}\n";
    let file = parse(source);
    assert_eq!(file.errors, vec![]);
    assert_eq!(names(&file), ["(*T).M", "T.N"]);
    assert_eq!(
        owned(source, &file, Owner::Signature(0)),
        "func (r *T[K]) M[P any, Q interface{ ~[]P }](p P) (q Q)"
    );
    let signature = file.funcs[0].signature;
    assert!(source[signature.start..signature.end].ends_with("(q Q)"));
}

#[test]
fn new_with_an_expression_of_go_1_26() {
    let source = "package p\n\nvar v = new(func() int { return 1 }())\n\nfunc f() { g(new(func() { h() }), new([]int{1}), new([]int)) }\n";
    let file = parse(source);
    assert_eq!(file.errors, vec![]);
    assert_eq!(file.vars[0].literals, [0]);
    assert!(file.vars[0].runs);
    assert_eq!(file.stmts[1].literals, [2]);
}

#[test]
fn directives_that_forbid_points() {
    let forbids = |above: &str| {
        let file = parse(&format!(
            "package p\n\nvar x int\n\n{above}\nfunc f() {{ g(func() {{}}) }}\n\nfunc h() {{}}\n"
        ));
        assert!(!file.funcs[2].nosplit, "{above}");
        assert_eq!(file.funcs[0].nosplit, file.funcs[1].nosplit, "{above}");
        file.funcs[0].nosplit
    };
    for directive in [
        "nosplit",
        "systemstack",
        "nowritebarrier",
        "nowritebarrierrec",
        "yeswritebarrierrec",
    ] {
        assert!(forbids(&format!("//go:{directive}")), "{directive}");
        assert!(forbids(&format!(
            "// Doc.\n//\n//go:noinline\n//go:{directive} \n// More."
        )));
        assert!(forbids(&format!("//go:{directive}\n\n// Doc.")));
        assert!(forbids(&format!("//go:{directive}\r")));
    }
    for other in [
        "//go:noinline",
        "// go:nosplit",
        "// Not //go:nosplit",
        "/*go:nosplit*/",
        "//go:nosplitting",
        "",
    ] {
        assert!(!forbids(other), "{other}");
    }
}

#[test]
fn the_comments_that_cgo_reads() {
    let preambles = |source: &str| -> Vec<String> {
        let file = parse(source);
        file.cgo_preambles
            .iter()
            .map(|span| source[span.start..span.end].to_string())
            .collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(
        preambles("package p\n\n// #include <a.h>\n// int b;\nimport \"C\"\n"),
        ["// #include <a.h>\n// int b;"]
    );
    assert_eq!(
        preambles("package p\n\n/*\nint b;\n*/\nimport `C`\n"),
        ["/*\nint b;\n*/"]
    );
    assert_eq!(preambles("package p\n\n// far\n\nimport \"C\"\n"), none);
    assert_eq!(preambles("package p // same line\nimport \"C\"\n"), none);
    assert_eq!(
        preambles("package p\n// a\nimport \"fmt\" // b\n// c\nimport \"C\"\n"),
        ["// c"]
    );
    assert_eq!(
        preambles("package p\n\n// group\nimport (\n\t\"fmt\"\n\n\t// a\n\t// b\n\t\"C\"\n)\n"),
        ["// a\n\t// b"]
    );
    assert_eq!(
        preambles("package p\n\n// group\nimport (\n\t\"C\"\n)\n"),
        ["// group"]
    );
    assert_eq!(
        preambles("package p\n// a\nimport \"C\"\n// b\nimport \"C\"\n"),
        ["// a", "// b"]
    );
    assert_eq!(
        preambles("package p\r\n\r\n// a\r\n// b\r\nimport \"C\"\r\n"),
        ["// a\r\n// b"]
    );
    assert_eq!(preambles("package p\n\n// a\nimport \"fmt\"\n"), none);
}

#[test]
fn imports_are_unquoted() {
    let file =
        parse("package p\nimport \"a/b\"\nimport (\n\t. `c`\n\t_ \"d\"; x \"e\"\n)\nimport ()\n");
    assert_eq!(file.imports, ["a/b", "c", "d", "e"]);
    assert_eq!(file.errors, vec![]);
}

#[test]
fn every_token_has_its_owner() {
    let source = "package p; import \"a\"; const c = 1; type t int\nvar ( v = f(); w int ); var x = func(a int) { y() }\nfunc g(a int) { L: for a { b(func() { c() }, 1); }; if d { } else if e { } else { h() }; switch { case i: j(); default: } }\n";
    let file = parse(source);
    assert_eq!(file.errors, vec![]);
    let stmt = |text: &str| {
        file.stmts
            .iter()
            .position(|stmt| source[stmt.span.start..].starts_with(text))
            .unwrap()
    };
    let block = |kind: BlockKind| {
        file.blocks
            .iter()
            .position(|block| block.kind == kind)
            .unwrap()
    };
    for (owner, text) in [
        (Owner::Package, "package p;"),
        (Owner::Import, "import \"a\";"),
        (Owner::Const, "const c = 1;"),
        (Owner::Type, "type t int"),
        (Owner::VarGroup, "var ( );"),
        (Owner::Var(0), "v = f();"),
        (Owner::Var(1), "w int"),
        (Owner::Var(2), "var x = func(a int) { }"),
        (Owner::Stmt(stmt("y()")), "y()"),
        (Owner::Signature(1), "func g(a int)"),
        (Owner::Label(stmt("L:")), "L:"),
        (Owner::Stmt(stmt("for a")), "for a ;"),
        (Owner::Stmt(stmt("b(")), "b(func() { }, 1);"),
        (Owner::Stmt(stmt("c()")), "c()"),
        (Owner::Stmt(stmt("if d")), "if d ;"),
        (Owner::Brace(block(BlockKind::ElseIf)), "else"),
        (Owner::Stmt(stmt("if e")), "if e"),
        (Owner::Brace(block(BlockKind::Else)), "else { }"),
        (Owner::Brace(block(BlockKind::Then)), "{ }"),
        (Owner::Stmt(stmt("switch")), "switch"),
        (Owner::Clause(block(BlockKind::Case)), "case i:"),
        (Owner::Brace(block(BlockKind::Case)), "{"),
        (Owner::Brace(block(BlockKind::Case) + 1), "}"),
        (Owner::Stmt(stmt("j()")), "j();"),
    ] {
        assert_eq!(owned(source, &file, owner), text, "{owner:?}");
    }
    let at = source.find("b(func").unwrap();
    assert_eq!(file.owner(at), Some(Owner::Stmt(stmt("b("))));
    assert_eq!(file.owner(at - 1), None);
}
