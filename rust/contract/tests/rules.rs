//! Every rule on small files: two versions in, exact findings out (`testdata/*.txtar`), and
//! the groups that each rule is in (`testdata/groups.txt`, from buf's documentation).
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

mod support;

use support::{compare, findings};

const GROUPS: [&str; 5] = ["FILE", "PACKAGE", "WIRE_JSON", "WIRE", "CSR"];

fn testdata() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// The two versions and the expected lines of a case.
fn case(text: &str) -> (Vec<Value>, Vec<String>) {
    let mut files: BTreeMap<&str, (Option<String>, Option<String>)> = BTreeMap::new();
    let mut want = Vec::new();
    let parts = text.split("\n-- ").skip(1);
    for (name, content) in parts.map(|part| part.split_once(" --\n").unwrap()) {
        let content = format!("{}\n", content.trim_end_matches('\n'));
        match name.split_once('/') {
            Some(("base", name)) => files.entry(name).or_default().0 = Some(content),
            Some(("release", name)) => files.entry(name).or_default().1 = Some(content),
            _ => want.extend(content.lines().filter(|l| !l.is_empty()).map(str::to_owned)),
        }
    }
    let pair = |(path, (base, release))| json!({ "path": path, "base": base, "release": release });
    (files.into_iter().map(pair).collect(), want)
}

fn line(finding: &Value) -> String {
    let place = &finding["place"];
    format!(
        "{} {}:{}:{} {} {}: {}",
        if place["base"] == true {
            "base"
        } else {
            "release"
        },
        place["file"].as_str().unwrap(),
        place["line"],
        place["column"],
        finding["rule"].as_str().unwrap(),
        finding["subject"].as_str().unwrap(),
        finding["message"].as_str().unwrap(),
    )
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

#[test]
fn each_case_has_its_findings_and_no_others() {
    let groups = groups();
    let mut met = BTreeSet::new();
    let mut rules: Vec<&str> = GROUPS.to_vec();
    rules.push("MESSAGE_SAME_MESSAGE_SET_WIRE_FORMAT");
    let mut cases = 0;
    for entry in fs::read_dir(testdata()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "txtar") {
            continue;
        }
        cases += 1;
        let (files, want) = case(&fs::read_to_string(&path).unwrap());
        let all = findings(&compare(&files, &json!({ "rules": rules })));
        let got: Vec<String> = all.iter().map(line).collect();
        assert_eq!(
            sorted(got.clone()),
            sorted(want),
            "{}:\n{}",
            path.display(),
            got.join("\n")
        );
        met.extend(all.iter().map(|f| f["rule"].as_str().unwrap().to_owned()));
        // A group gives the findings of its rules.
        for group in GROUPS {
            let of_group = findings(&compare(&files, &json!({ "rules": [group] })));
            let belongs = |f: &&Value| groups[f["rule"].as_str().unwrap()].contains(group);
            let wanted: Vec<&Value> = all.iter().filter(belongs).collect();
            assert_eq!(
                of_group.iter().collect::<Vec<_>>(),
                wanted,
                "{group} of {}",
                path.display()
            );
        }
    }
    assert!(cases > 10, "{cases} cases");
    let missing: Vec<&String> = groups.keys().filter(|rule| !met.contains(*rule)).collect();
    assert!(missing.is_empty(), "rules that no case shows: {missing:?}");
}

/// The groups of each rule.
fn groups() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(testdata().join("groups.txt")).unwrap();
    let words = text.lines().map(|line| line.split(' ').map(str::to_owned));
    words
        .map(|mut words| (words.next().unwrap(), words.collect()))
        .collect()
}

#[test]
fn rules_are_asked_for_by_group_and_name() {
    let asked = |rules: Value| -> BTreeSet<String> {
        let answer = compare(
            &[json!({ "path": "a.proto", "release": "" })],
            &json!({ "rules": rules }),
        );
        assert!(answer["error"].is_null(), "{answer}");
        let rules = answer["result"]["rules"].as_array().unwrap();
        rules
            .iter()
            .map(|rule| rule.as_str().unwrap().to_owned())
            .collect()
    };
    let groups = groups();
    let of = |group: &str| -> BTreeSet<String> {
        let inside = groups.iter().filter(|(_, groups)| groups.contains(group));
        inside.map(|(rule, _)| rule.clone()).collect()
    };
    for group in GROUPS {
        assert_eq!(asked(json!([group])), of(group), "{group}");
    }
    let mut both = of("WIRE");
    both.insert("FIELD_SAME_NAME".to_owned());
    assert_eq!(asked(json!(["wire", "FIELD_SAME_NAME"])), both);
    assert!(asked(json!(["FIELD_SAME_LABEL"])).contains("FIELD_SAME_CARDINALITY"));
    let unknown = compare(&[], &json!({ "rules": ["FIEL"] }));
    let error = &unknown["error"];
    assert_eq!(error["code"], "bad_request");
    assert!(
        error["hint"].as_str().unwrap().contains("WIRE_JSON"),
        "{error}"
    );
}

#[test]
fn ids_are_of_one_form() {
    let files = json!({ "path": "a.proto", "base": "syntax = \"proto3\";\nmessage M { int32 a = 1; }\nenum E { Z = 0; Y = 1; }", "release": "syntax = \"proto3\";\nmessage M { string a = 1; }\nenum E { Z = 0; X = 1; }" });
    let ids = |rules: &str| -> Vec<String> {
        let found = findings(&compare(
            std::slice::from_ref(&files),
            &json!({ "rules": [rules] }),
        ));
        found
            .iter()
            .map(|f| f["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids("FIELD_SAME_TYPE"), ["protobuf.field.same-type"]);
    assert_eq!(
        ids("ENUM_VALUE_SAME_NAME"),
        ["protobuf.enum-value.same-name"]
    );
    assert_eq!(
        ids("FIELD_WIRE_JSON_COMPATIBLE_TYPE"),
        ["protobuf.field.wire-json-compatible-type"]
    );
}
