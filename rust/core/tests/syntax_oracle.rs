//! The core's view of Go files against that of Go's own parser.
//!
//! A subset of the standard library by default, all of GOROOT with `GOAT_FULL=1`,
//! any directories with `GOAT_ORACLE=dir:dir`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use goat_core::model::{Block, FileSyntax, FuncId, Owner, Span, StmtId};
use goat_core::syntax;
use goat_core::token::{self, Token, TokenKind};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

#[test]
fn go_sees_the_same() {
    let mut compared = 0;
    for root in roots() {
        let files = common::go_files(&root);
        let mut wrong = Vec::new();
        for (path, theirs) in oracle(&files) {
            if theirs == ["error"] {
                continue;
            }
            let source = std::fs::read(&path).unwrap();
            if source.starts_with(b"// errorcheck") {
                continue;
            }
            let ours = dump(&source);
            compared += 1;
            let theirs = decided(theirs, &ours);
            if ours != theirs {
                wrong.push(difference(&path, &ours, &theirs));
            }
        }
        let shown = wrong.iter().take(40).cloned().collect::<String>();
        assert!(
            wrong.is_empty(),
            "{} of {} files differ\n{shown}",
            wrong.len(),
            files.len()
        );
    }
    println!("{compared} files compared");
    assert!(compared > 0);
}

fn roots() -> Vec<PathBuf> {
    if let Ok(roots) = std::env::var("GOAT_ORACLE") {
        return roots.split(':').map(PathBuf::from).collect();
    }
    let src = common::goroot().join("src");
    if std::env::var("GOAT_FULL").is_ok() {
        return vec![src.clone(), src.join("../test")];
    }
    let subset = [
        "encoding",
        "go",
        "sync",
        "text",
        "net/http",
        "cmd/compile/internal/syntax",
    ];
    subset.iter().map(|dir| src.join(dir)).collect()
}

/// What the Go program prints for each file that exists.
fn oracle(files: &[PathBuf]) -> Vec<(PathBuf, Vec<String>)> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/main.go");
    let mut list = tempfile::NamedTempFile::new().unwrap();
    for file in files {
        writeln!(list, "{}", file.display()).unwrap();
    }
    let output = common::go()
        .arg("run")
        .arg(program)
        .stdin(Stdio::from(list.reopen().unwrap()))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    let mut answers: Vec<(PathBuf, Vec<String>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("file "), answers.last_mut()) {
            (Some(path), _) => answers.push((PathBuf::from(path), Vec::new())),
            (None, Some((_, lines))) => lines.push(line.to_string()),
            (None, None) => panic!("no file before {line}"),
        }
    }
    assert_eq!(answers.len(), files.len());
    answers
}

/// Their lines, where what go/ast leaves open without types is decided as ours.
fn decided(theirs: Vec<String>, ours: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = theirs.into_iter().map(|line| either(line, ours)).collect();
    lines.sort();
    lines
}

fn either(line: String, ours: &[String]) -> String {
    ["true", "false"]
        .into_iter()
        .map(|word| line.replacen(" runs maybe ", &format!(" runs {word} "), 1))
        .find(|known| ours.binary_search(known).is_ok())
        .unwrap_or(line)
}

fn difference(path: &Path, ours: &[String], theirs: &[String]) -> String {
    let mut text = format!("{}\n", path.display());
    let only = |a: &[String], b: &[String]| -> Vec<String> {
        a.iter()
            .filter(|line| b.binary_search(line).is_err())
            .take(4)
            .cloned()
            .collect()
    };
    for line in only(ours, theirs) {
        writeln!(text, "  goat {line}").unwrap();
    }
    for line in only(theirs, ours) {
        writeln!(text, "  go   {line}").unwrap();
    }
    text
}

/// The file in the form of oracle/main.go.
fn dump(source: &[u8]) -> Vec<String> {
    let file = &syntax::parse(source);
    let package = format!("package {} {}", file.package, file.package_end);
    let mut lines = vec![tokens(source), package];
    for (at, path) in file.imports.iter().enumerate() {
        lines.push(format!("import {at} {path}"));
    }
    for error in &file.errors {
        lines.push(format!("error {error:?}"));
    }
    let order = order(file);
    functions(file, &order, &mut lines);
    blocks(file, &order, &mut lines);
    statements(file, &mut lines);
    for var in &file.vars {
        let literals = starts(file, &var.literals);
        lines.push(format!(
            "var {} {} runs {} lits {literals}",
            var.names.join(","),
            span(var.span),
            var.runs
        ));
    }
    let mut last = String::new();
    for (piece, owner) in &file.owners {
        let owner = owner_name(file, *owner);
        if owner != last {
            lines.push(format!("owner {} {owner}", piece.start));
            last = owner;
        }
    }
    lines.sort();
    lines
}

/// How many tokens there are, and a hash of their places and kinds.
fn tokens(source: &[u8]) -> String {
    let (mut count, mut hash) = (0, 0_u64);
    for Token { span, kind } in token::scan(source) {
        let text = match kind {
            TokenKind::Comment => continue,
            TokenKind::AutoSemi => "0-0 auto\n".to_string(),
            TokenKind::RawString => format!("{}-{} String\n", span.start, span.end),
            _ => format!("{}-{} {kind:?}\n", span.start, span.end),
        };
        count += 1;
        for byte in text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
        }
    }
    format!("tokens {count} {hash:016x}")
}

/// Go numbers functions as its walk meets them, which is not always source order:
/// numbers are compared by position only.
fn order(file: &FileSyntax) -> HashMap<FuncId, usize> {
    file.funcs
        .iter()
        .enumerate()
        .map(|(id, func)| (id, func.span.start))
        .collect()
}

fn span(span: Span) -> String {
    format!("{}-{}", span.start, span.end)
}

fn starts(file: &FileSyntax, ids: &[FuncId]) -> String {
    let starts: Vec<String> = ids
        .iter()
        .map(|&id| file.funcs[id].span.start.to_string())
        .collect();
    format!("[{}]", starts.join(" "))
}

fn functions(file: &FileSyntax, order: &HashMap<FuncId, usize>, lines: &mut Vec<String>) {
    for (id, func) in file.funcs.iter().enumerate() {
        let body = func
            .body
            .map_or("-".to_string(), |body| span(file.blocks[body].span));
        let parent = func
            .parent
            .map_or("-1".to_string(), |id| order[&id].to_string());
        let stmt = func
            .parent_stmt
            .map_or("-".to_string(), |id| file.stmts[id].span.start.to_string());
        lines.push(format!(
            "func {} {} {} sig {} body {body} lit {} parent {parent} in {stmt}",
            order[&id],
            func.name,
            span(func.span),
            func.signature.end,
            func.literal
        ));
    }
}

fn block_name(block: &Block) -> String {
    format!("{:?}@{}", block.kind, block.span.start)
}

fn blocks(file: &FileSyntax, order: &HashMap<FuncId, usize>, lines: &mut Vec<String>) {
    for (id, block) in file.blocks.iter().enumerate() {
        assert!(block.stmts.iter().all(|&stmt| file.stmts[stmt].block == id));
        let owner = block
            .owner
            .map_or("-".to_string(), |id| file.stmts[id].span.start.to_string());
        assert!(
            block
                .owner
                .is_none_or(|owner| file.stmts[owner].blocks.contains(&id))
        );
        lines.push(format!(
            "block {} {} func {} owner {owner} open {} clause {} entry {}",
            block_name(block),
            span(block.span),
            order[&block.func],
            block.open,
            span(block.clause),
            block.entry
        ));
    }
}

fn statements(file: &FileSyntax, lines: &mut Vec<String>) {
    for stmt in &file.stmts {
        let condition: Vec<String> = stmt.condition.iter().map(|&part| span(part)).collect();
        lines.push(format!(
            "stmt {:?} {} in {} header {} if {} lits {} control {}",
            stmt.kind,
            span(stmt.span),
            block_name(&file.blocks[stmt.block]),
            stmt.header_end,
            condition.join(","),
            starts(file, &stmt.literals),
            stmt.labels_control
        ));
    }
}

fn owner_name(file: &FileSyntax, owner: Owner) -> String {
    let start = |id: StmtId| file.stmts[id].span.start;
    match owner {
        Owner::Stmt(id) => format!("stmt@{}", start(id)),
        Owner::Label(id) => format!("label@{}", start(id)),
        Owner::Clause(id) => format!("clause@{}", block_name(&file.blocks[id])),
        Owner::Brace(id) => format!("brace@{}", block_name(&file.blocks[id])),
        Owner::Signature(id) => format!("sig@{}", file.funcs[id].span.start),
        Owner::Var(id) => format!("var@{}", file.vars[id].span.start),
        Owner::Package => "package".to_string(),
        Owner::Import => "import".to_string(),
        Owner::Type => "type".to_string(),
        Owner::Const => "const".to_string(),
        Owner::VarGroup => "vargroup".to_string(),
        Owner::Error => "error".to_string(),
    }
}

/// Hand-made constructs, each also with CRLF, with a byte order mark and without the
/// last line end.
#[test]
fn go_sees_the_same_in_hard_cases() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in common::txtar(include_str!("data/constructs.txtar")) {
        let write = |variant: &str, text: &str| {
            std::fs::write(dir.path().join(format!("{variant}_{name}")), text).unwrap();
        };
        write("plain", &text);
        write("crlf", &text.replace('\n', "\r\n"));
        write("bom", &format!("\u{feff}{text}"));
        write("short", text.trim_end());
    }
    let files = common::go_files(dir.path());
    assert!(files.len() > 40);
    for (path, theirs) in oracle(&files) {
        assert_ne!(theirs, ["error"], "{}", path.display());
        let ours = dump(&std::fs::read(&path).unwrap());
        let theirs = decided(theirs, &ours);
        assert!(ours == theirs, "{}", difference(&path, &ours, &theirs));
    }
}
