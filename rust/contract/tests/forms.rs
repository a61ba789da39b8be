//! How files are found, compiled and refused; and that whatever comes has an answer.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write;

use proptest::prelude::*;
use serde_json::{Value, json};

mod support;

use support::{compare, findings};

const PLAIN: &str = "syntax = \"proto3\";\npackage a;\nmessage M { string name = 1; }\n";
const CHANGED: &str = "syntax = \"proto3\";\npackage a;\nmessage M { int32 name = 1; }\n";

fn both(path: &str, base: &str, release: &str) -> Value {
    json!({ "path": path, "base": base, "release": release })
}

fn same(path: &str, text: &str) -> Value {
    both(path, text, text)
}

fn one_sided(path: &str, side: &str, text: &str) -> Value {
    json!({ "path": path, side: text })
}

fn error(files: &[Value], with: &Value) -> Value {
    let answer = compare(files, with);
    assert!(answer["error"].is_object(), "{answer:#}");
    answer["error"].clone()
}

/// `path: message` of an error.
fn said(files: &[Value], with: &Value) -> String {
    let error = error(files, with);
    format!(
        "{}: {}",
        error["path"].as_str().unwrap(),
        error["message"].as_str().unwrap()
    )
}

#[test]
fn a_root_is_compared_for_itself() {
    let files = [
        both("services/a/proto/v1.proto", PLAIN, CHANGED),
        both("services/b/proto/v1.proto", PLAIN, PLAIN),
        same("other/broken.proto", "message"),
    ];
    let answer = compare(&files, &json!({ "roots": ["services/*/proto"] }));
    let roots = answer["result"]["roots"].as_array().unwrap();
    let names: Vec<&str> = roots.iter().map(|r| r["root"].as_str().unwrap()).collect();
    assert_eq!(names, ["services/a/proto", "services/b/proto"], "{answer}");
    assert_eq!(
        roots[0]["findings"][0]["place"]["file"],
        "services/a/proto/v1.proto"
    );
    assert_eq!(roots[1]["findings"], json!([]));
    assert_eq!(
        (&roots[0]["base"], &roots[0]["release"]),
        (&json!(1), &json!(1))
    );
    for bad in ["/proto", "../proto", "a/../../b", "a/**"] {
        let refused = error(&files, &json!({ "roots": [bad] }));
        assert_eq!(refused["code"], "bad_request", "{bad}");
    }
    let none = said(&files, &json!({ "roots": ["services/*/protos"] }));
    assert!(
        none.contains("no .proto file below services/*/protos"),
        "{none}"
    );
}

#[test]
fn imports_are_found_from_every_root() {
    let user = "syntax = \"proto3\";\npackage u;\nimport \"google/protobuf/timestamp.proto\";\nimport \"common/v1/c.proto\";\nimport \"etcd/api/kv.proto\";\nmessage U { c.C c = 1; google.protobuf.Timestamp at = 2; kv.KV kv = 3; }\n";
    let files = [
        same("proto/u.proto", user),
        same(
            "shared/common/v1/c.proto",
            "syntax = \"proto3\";\npackage c;\nmessage C {}\n",
        ),
        same(
            "api/kv.proto",
            "syntax = \"proto3\";\npackage kv;\nmessage KV {}\n",
        ),
    ];
    let with = json!({ "roots": ["proto"], "imports": ["shared", "etcd/api=api", "not/there"] });
    assert!(findings(&compare(&files, &with)).is_empty());
    let without = json!({ "roots": ["proto"], "imports": ["shared"] });
    assert_eq!(
        said(&files, &without),
        "proto/u.proto:5:1: the import \"etcd/api/kv.proto\" is not in the repository (in the base)"
    );
    // What is imported is not compared.
    let changed = both(
        "shared/common/v1/c.proto",
        "syntax = \"proto3\";\npackage c;\nmessage C { string a = 1; }\n",
        "syntax = \"proto3\";\npackage c;\nmessage C {}\n",
    );
    let files = [files[0].clone(), changed, files[2].clone()];
    assert!(findings(&compare(&files, &with)).is_empty());
    let roots = json!({ "roots": ["proto", "shared"], "imports": ["etcd/api=api"] });
    assert_eq!(
        findings(&compare(&files, &roots))[0]["id"],
        "protobuf.field.no-delete"
    );
    // A root inside another has its files for itself.
    let nested = json!({ "roots": [".", "shared"], "imports": ["etcd/api=api"] });
    assert_eq!(findings(&compare(&files, &nested)).len(), 1);
}

#[test]
fn what_may_be_absent_counts_by_its_name() {
    let text = |field: &str| {
        format!(
            "syntax = \"proto2\";\npackage u;\nimport \"google/api/http.proto\";\nimport public \"google/protobuf/any.proto\";\nimport \"gogoproto/gogo.proto\";\noption (gogoproto.marshaler_all) = true;\nmessage U {{\n  {field}\n  optional Local l = 3 [(gogoproto.nullable) = false];\n  optional google.type.Mode mode = 4 [default = FAST];\n  optional google.protobuf.Any any = 5;\n  optional google.api.Rule.Inner inner = 6;\n  extend google.api.Rule {{ optional int32 own = 77; }}\n}}\nmessage Local {{}}\nservice S {{ rpc Do(U) returns (google.api.Body) {{ option (google.api.http) = {{ get: \"/x\" }}; }} }}\n"
        )
    };
    let before = text("optional google.api.Rule rule = 1;");
    let absent = json!({ "absent": ["google/api/*", "gogoproto/**"] });
    assert!(findings(&compare(&[same("u.proto", &before)], &absent)).is_empty());
    let after = text("optional google.api.Other rule = 1;");
    let found = findings(&compare(&[both("u.proto", &before, &after)], &absent));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0]["message"],
        "the type changed from google.api.Rule to google.api.Other"
    );
    let refused = error(
        &[same("u.proto", &before)],
        &json!({ "absent": ["google/api/*"] }),
    );
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("gogoproto/gogo.proto")
    );
    assert!(refused["hint"].as_str().unwrap().contains("protobufAbsent"));
}

#[test]
fn what_does_not_compile_is_said_with_its_place() {
    for (text, want) in [
        (
            "syntax = \"proto3\";\nmessage M {\n  int32 = 1;\n}\n",
            "a.proto:3:9: expected an identifier",
        ),
        (
            "syntax = \"proto3\";\nmessage M {\n  Gone g = 1;\n}\n",
            "a.proto:3:3: name 'Gone' is not defined",
        ),
        (
            "syntax = \"proto3\";\nmessage M {\n  int32 a = 1;\n  int32 b = 1;\n}\n",
            "a.proto:4:",
        ),
        (
            "syntax = \"proto3\";\nimport \"b.proto\";\n",
            "a.proto:2:1: the import \"b.proto\" is not in the repository",
        ),
        (
            "// One\nedition = \"2023\";\n",
            "a.proto:2:1: the file is written in an edition; goat reads proto2 and proto3",
        ),
        (
            "syntax = \"proto3\";\nimport \"a.proto\";\n",
            "a.proto:2:1: the imports form a circle: a.proto -> a.proto",
        ),
        ("syntax = \"proto3\";\nmessage M {", "a.proto:2:12:"),
        ("syntax = \"proto4\";\n", "a.proto:1:10:"),
    ] {
        let said = said(&[both("a.proto", PLAIN, text)], &json!({}));
        assert!(
            said.starts_with(want) && said.contains("(in the release)"),
            "{text}\n{said}"
        );
    }
    let many = [
        same("a.proto", "import \"x.proto\";\nimport \"y.proto\";\n"),
        same("b.proto", "x"),
    ];
    let error = error(&many, &json!({}));
    assert!(
        error["message"].as_str().unwrap().ends_with("; 2 more"),
        "{error}"
    );
    assert_eq!(error["causes"].as_array().unwrap().len(), 2);
    let bom = format!("\u{feff}{PLAIN}");
    assert!(findings(&compare(&[both("a.proto", &bom, PLAIN)], &json!({}))).is_empty());
}

#[test]
fn sides_may_be_empty() {
    let new = compare(&[one_sided("a.proto", "release", PLAIN)], &json!({}));
    assert!(findings(&new).is_empty());
    let gone = findings(&compare(&[one_sided("a.proto", "base", PLAIN)], &json!({})));
    assert_eq!(gone[0]["rule"], "FILE_NO_DELETE");
}

#[test]
fn long_chains_and_deep_nesting_are_bounded() {
    let link = |i: u32| {
        let import = if i == 0 {
            String::new()
        } else {
            format!("import \"f{}.proto\";\n", i - 1)
        };
        same(
            &format!("f{i}.proto"),
            &format!("syntax = \"proto3\";\n{import}message M{i} {{}}\n"),
        )
    };
    // The last name sorts first, so that the whole chain hangs on it.
    let mut chain: Vec<Value> = (0..3000).map(link).collect();
    chain.push(same(
        "a.proto",
        "syntax = \"proto3\";\nimport \"f2999.proto\";\nmessage A { M2999 m = 1; }\n",
    ));
    assert!(findings(&compare(&chain, &json!({}))).is_empty());

    let deep = "message M { ".repeat(50_000);
    let refused = said(&[same("a.proto", &deep)], &json!({}));
    assert!(refused.contains("recursion limit"), "{refused}");
    for text in [
        "option x = {".repeat(50_000),
        "a {".repeat(50_000),
        "[".repeat(100_000),
        "/*".repeat(100_000),
    ] {
        let text = format!("syntax = \"proto3\";\noption (o) = {{ {text}");
        assert!(compare(&[same("a.proto", &text)], &json!({}))["error"].is_object());
    }
    let mut wide = String::from("syntax = \"proto3\";\nmessage M {\n");
    for number in 1..18_000 {
        writeln!(wide, "  string f{number} = {number};").unwrap();
    }
    wide.push_str("}\n");
    let narrow = "syntax = \"proto3\";\nmessage M {}\n";
    assert_eq!(
        findings(&compare(&[both("a.proto", &wide, narrow)], &json!({}))).len(),
        17_999
    );
}

#[test]
fn requests_are_checked() {
    let run = |text: &str| goat_contract::run(text.as_bytes(), &|| false);
    assert!(run(r#"{"format":1,"op":"dump"}"#).is_none());
    assert!(run("{").is_none());
    let refused = |text: &str| String::from_utf8(run(text).unwrap()).unwrap();
    assert!(refused(r#"{"format":1,"op":"protobuf"}"#).contains("bad_request"));
    assert!(
        refused(r#"{"format":2,"op":"protobuf","roots":[],"rules":[],"files":[]}"#)
            .contains("rebuild")
    );
    let stopped = goat_contract::run(
        json!({ "format": 1, "op": "protobuf", "roots": ["."], "rules": ["FILE"], "files": [same("a.proto", PLAIN)] }).to_string().as_bytes(),
        &|| true,
    );
    assert!(
        String::from_utf8(stopped.unwrap())
            .unwrap()
            .contains("cancelled")
    );
}

/// Words of the language, so that random texts are not refused at their first byte.
const WORDS: [&str; 40] = [
    "message",
    "M",
    "{",
    "}",
    "enum",
    "E",
    "=",
    "1",
    ";",
    "string",
    "a",
    "b",
    "repeated",
    "map",
    "<",
    ">",
    "int32",
    ",",
    "oneof",
    "o",
    "extend",
    "extensions",
    "to",
    "max",
    "reserved",
    "\"x\"",
    "syntax",
    "\"proto3\"",
    "import",
    "\"a.proto\"",
    "option",
    "(",
    ")",
    "rpc",
    "service",
    "returns",
    "stream",
    "group",
    "[",
    "]",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever texts come, there is an answer.
    #[test]
    fn any_text_has_an_answer(base in ".{0,200}", release in ".{0,200}", path in "[a-z/.=*]{0,12}") {
        let files = [both("a.proto", &base, &release), same(&path, &release)];
        let answer = compare(&files, &json!({ "roots": [path, "."] }));
        prop_assert!(answer["result"].is_object() || answer["error"].is_object());
    }

    /// So do texts that look like the language.
    #[test]
    fn any_words_have_an_answer(words in proptest::collection::vec(0..WORDS.len(), 0..60), cut in 0..60_usize) {
        let text = |words: &[usize]| words.iter().map(|at| WORDS[*at]).collect::<Vec<_>>().join(" ");
        let (whole, part) = (text(&words), text(&words[cut.min(words.len())..]));
        for head in ["", "syntax = \"proto3\";\nmessage M { ", "syntax = \"proto2\";\nmessage M { optional "] {
            let files = [both("a.proto", &format!("{head}{whole}"), &format!("{head}{part}"))];
            let answer = compare(&files, &json!({}));
            prop_assert!(answer["result"].is_object() || answer["error"].is_object());
        }
    }

    /// A version breaks nobody who uses that version, and what is damaged has an answer.
    #[test]
    fn damaged_files_have_an_answer(cuts in proptest::collection::vec((0..500_usize, any::<u8>()), 0..4)) {
        let text = "syntax = \"proto2\";\npackage a;\nimport \"google/protobuf/any.proto\";\nmessage M {\n  reserved 5, 7 to 9;\n  extensions 100 to max;\n  optional group G = 1 { repeated string s = 2 [ctype = CORD]; }\n  map<string, E> m = 3;\n  oneof o { google.protobuf.Any any = 4; int64 n = 6 [jstype = JS_STRING]; }\n}\nenum E { Z = 0; Y = 1; }\nextend M { optional E e = 100 [default = Y]; }\nservice S { rpc Do(M) returns (stream M); }\n";
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte) in cuts {
            let at = at % bytes.len();
            bytes[at] = byte % 128;
        }
        let damaged = String::from_utf8(bytes).unwrap();
        let answer = compare(&[both("a.proto", text, &damaged)], &json!({}));
        prop_assert!(answer["result"].is_object() || answer["error"].is_object());
        let itself = compare(&[same("a.proto", &damaged)], &json!({}));
        if itself["error"].is_null() {
            prop_assert!(findings(&itself).is_empty());
        }
    }
}
