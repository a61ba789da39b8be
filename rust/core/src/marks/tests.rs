#![expect(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::error::{Code, Error};

const BLOCK: &str = "\t// +goat:generate\n\t// +goat:tips: do not edit the block between the +goat comments\n\tgoat.Track(goat.TRACK_ID_1)\n\t// +goat:end\n";

fn text(source: &str) -> String {
    String::from_utf8(strip(source.as_bytes()).unwrap().unwrap()).unwrap()
}

fn refused(source: &str) -> Error {
    strip(source.as_bytes()).unwrap_err()
}

#[test]
fn a_file_without_marks_is_left_alone() {
    assert_eq!(strip(b"package a\n").unwrap(), None);
    assert_eq!(strip(b"package a // goat: a word\n").unwrap(), None);
    assert!(!suspect(b"package a\n"));
}

#[test]
fn a_block_on_its_own_lines_leaves_nothing() {
    let plain = "package a\n\nfunc f() {\n\n\tg()\n}\n";
    let marked = plain.replace("\tg()", &format!("{BLOCK}\tg()"));
    assert_eq!(text(&marked), plain);
    assert_eq!(
        text(&marked.replace('\n', "\r\n")),
        plain.replace('\n', "\r\n")
    );
    assert_eq!(
        text(&format!("\u{feff}{marked}")),
        format!("\u{feff}{plain}")
    );
}

#[test]
fn a_split_line_is_joined_again() {
    let block = BLOCK.replace("comments\n", "comments rejoin=IA==\n");
    assert_eq!(
        text(&format!("func f() {{\n{block}\tg() }}")),
        "func f() { g() }"
    );
    let bare = BLOCK.replace("comments\n", "comments rejoin=\n");
    assert_eq!(
        text(&format!("func f() {{\n{bare}\tg()}}")),
        "func f() {g()}"
    );
}

#[test]
fn a_wrapping_block_takes_its_braces_along() {
    let open = BLOCK.replace("comments\n", "comments rejoin=IA== wrap\n");
    let close = "\t// +goat:generate\n\t// +goat:tips: do not edit\n\t}\n\t// +goat:end\n";
    let plain = "\tif a {\n\t} else if b {\n\t}\n";
    let marked = format!("\tif a {{\n\t}} else {{\n{open}\tif b {{\n\t}}\n{close}");
    assert_eq!(text(&marked), plain);
    assert_eq!(
        refused(&marked.replace("else {", "else")).code,
        Code::BadMarks
    );
}

#[test]
fn marks_in_strings_and_block_comments_are_text() {
    let source = "var s = `\n// +goat:generate\n` + \"// +goat:end\" + '\"' /* // +goat:main */\n";
    assert_eq!(strip(source.as_bytes()).unwrap(), None);
}

#[test]
fn typed_text_is_kept() {
    let marked = BLOCK.replace("\tgoat.Track", "\tmine()\n\tgoat.Track");
    let marks = parse(marked.as_bytes()).unwrap();
    let stripped = remove(marked.as_bytes(), &marks).unwrap().unwrap();
    assert_eq!(stripped.source, b"\tmine()\n");
    assert_eq!(
        stripped.kept,
        [Kept {
            line: 3,
            text: "mine()".into()
        }]
    );
    assert_eq!(stripped.qualifier.as_deref(), Some("goat"));
    assert_eq!(
        text(&BLOCK.replace("\t// +goat:end", "\tmine() // +goat:end")),
        "\tmine() \n"
    );
}

#[test]
fn the_users_marks_stay() {
    let user =
        format!("\t// +goat:user\n\tgoat.Track(1)\n{BLOCK}\t// +goat:end\n\t// +goat:insert\n");
    assert_eq!(
        text(&user),
        "\t// +goat:user\n\tgoat.Track(1)\n\t// +goat:end\n\t// +goat:insert\n"
    );
    assert_eq!(inserts(user.as_bytes()), [user.len() - 16]);
}

#[test]
fn an_insert_comes_back() {
    let block = BLOCK.replace("comments\n", "comments restore=CS8vICtnb2F0Omluc2VydAo=\n");
    assert_eq!(
        text(&format!("{block}\tg()\n")),
        "\t// +goat:insert\n\tg()\n"
    );
}

#[test]
fn an_import_block_takes_its_empty_line_along() {
    let block =
        "// +goat:import\n// +goat:tips: do not edit gap\nimport goat \"a/goat\"\n// +goat:end\n\n";
    assert_eq!(
        text(&format!("package a\n{block}/* int x; */\nimport \"C\"\n")),
        "package a\n/* int x; */\nimport \"C\"\n"
    );
}

#[test]
fn blocks_of_goat_1_go() {
    let main = "\t// +goat:main\n\t// +goat:tips: do not edit the block between the +goat comments\n\tgoat.ServeHTTP(goat.COMPONENT_0)\n\t// +goat:end\n";
    assert_eq!(
        text(&format!("func main() {{\n{main}{BLOCK}\trun()\n}}\n")),
        "func main() {\n\trun()\n}\n"
    );
    let old = BLOCK
        .replace("// +goat:", "// + goat:")
        .replace("generate", "delete");
    assert_eq!(text(&old), "");
}

#[test]
fn damaged_marks_are_refused_with_their_line() {
    let cases = [
        ("x\n// +goat:generate\n", "2"),
        ("x\n\n// +goat:end\n", "3"),
        (
            "// +goat:generate\n// +goat:generate\n// +goat:end\n// +goat:end\n",
            "2",
        ),
        ("// +goat:tips: x\n", "1"),
        (
            "// +goat:generate\n// +goat:tips: rejoin=I\n// +goat:end\n",
            "2",
        ),
    ];
    for (source, line) in cases {
        let error = refused(source);
        assert_eq!(
            (error.code, error.path.as_str()),
            (Code::BadMarks, line),
            "{source}"
        );
        assert_eq!(
            strip_file("a/b.go", source.as_bytes()).unwrap_err().path,
            format!("a/b.go:{line}")
        );
    }
}

#[test]
fn the_import_of_goat_1_goes_with_the_last_use() {
    let cases = [
        (
            "import (\n\t\"fmt\"\n\tgoat \"app/goat\"\n)\n\n",
            "import (\n\t\"fmt\"\n)\n\n",
        ),
        ("import goat \"app/goat\"\n\n", ""),
        (
            "import \"fmt\"\nimport (\n\tgoat \"app/goat\"\n)\n\n",
            "import \"fmt\"\n\n",
        ),
        (
            "import (\n\tgoat \"app/goat\"; \"fmt\"\n)\n\n",
            "import (\n\t \"fmt\"\n)\n\n",
        ),
    ];
    for (with, without) in cases {
        let file = |imports: &str, block: &str| {
            format!("package a\n\n{imports}// F does it.\nfunc F() {{\n{block}\trun()\n}}\n")
        };
        assert_eq!(text(&file(with, BLOCK)), file(without, ""));
        let used = format!("{BLOCK}\tgoat.Other()\n");
        assert_eq!(text(&file(with, &used)), file(with, "\tgoat.Other()\n"));
    }
}

#[test]
fn an_import_that_a_tool_moved_out_of_its_block_goes_too() {
    let head = "package a\n\n// +goat:import\n// +goat:tips: do not edit gap\n// +goat:end\n\nimport (\n\tgoat \"app/goat\"\n\t\"fmt\"\n)\n";
    let marked = format!("{head}\nfunc F() {{\n{BLOCK}}}\n");
    assert_eq!(
        text(&marked),
        "package a\n\nimport (\n\t\"fmt\"\n)\n\nfunc F() {\n}\n"
    );
}
