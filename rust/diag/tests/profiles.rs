//! Profiles of pprof: what functions cost, sums, differences, and what is said of files
//! that are none. The profiles are written here, field by field.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;

use data_encoding::BASE64;
use proptest::prelude::*;
use serde_json::{Value, json};

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value % 0x80) as u8 | 0x80);
        value /= 0x80;
    }
    bytes.push(value as u8);
    bytes
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field * 8), varint(value)].concat()
}

fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    [
        varint(field * 8 + 2),
        varint(value.len() as u64),
        value.to_vec(),
    ]
    .concat()
}

const TEXTS: [&str; 11] = [
    "",
    "samples",
    "count",
    "cpu",
    "nanoseconds",
    "main.main",
    "/src/app/main.go",
    "example.com/app/svc.(*S).Do",
    "/src/app/svc/a.go",
    "runtime.mallocgc",
    "/go/src/runtime/malloc.go",
];

/// Stacks of main (1), Do (2) and mallocgc (3), innermost first, with samples and time.
fn profile(stacks: &[(&[u64], u64, u64)]) -> Vec<u8> {
    let mut all = bytes(1, &[number(1, 1), number(2, 2)].concat());
    all.extend(bytes(1, &[number(1, 3), number(2, 4)].concat()));
    for (stack, samples, time) in stacks {
        let ids: Vec<u8> = stack.iter().flat_map(|id| varint(*id)).collect();
        let values = [varint(*samples), varint(*time)].concat();
        all.extend(bytes(2, &[bytes(1, &ids), bytes(2, &values)].concat()));
    }
    for (id, line) in [(1, 10), (2, 34), (3, 900)] {
        let place = [number(1, id), number(2, line)].concat();
        all.extend(bytes(4, &[number(1, id), bytes(4, &place)].concat()));
        let (name, file) = (3 + 2 * id, 4 + 2 * id);
        all.extend(bytes(
            5,
            &[number(1, id), number(2, name), number(4, file)].concat(),
        ));
    }
    for text in TEXTS {
        all.extend(bytes(6, text.as_bytes()));
    }
    all.extend(
        [
            number(9, 1_700_000_000_000_000_000),
            number(10, 2_000_000_000),
        ]
        .concat(),
    );
    all
}

fn file(data: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), data).unwrap();
    file
}

fn run(new: &[Vec<u8>], old: &[Vec<u8>], with: &Value) -> Value {
    let new: Vec<_> = new.iter().map(|data| file(data)).collect();
    let old: Vec<_> = old.iter().map(|data| file(data)).collect();
    let sources = |files: &[tempfile::NamedTempFile]| -> Vec<Value> {
        let named = files
            .iter()
            .map(|f| json!({ "name": "p", "path": f.path() }));
        named.collect()
    };
    let mut request = json!({
        "format": 1, "op": "profile", "sources": sources(&new), "diff": sources(&old),
        "changed": [{ "package": "example.com/app/svc", "file": "svc/a.go", "func": "(*S).Do", "lines": [34] }],
    });
    for (key, value) in with.as_object().unwrap() {
        request[key] = value.clone();
    }
    let answer = goat_diag::run(request.to_string().as_bytes(), &|| false).unwrap();
    serde_json::from_slice(&answer).unwrap()
}

fn document(new: &[Vec<u8>], old: &[Vec<u8>]) -> Value {
    let answer = run(new, old, &json!({}));
    assert!(answer["error"].is_null(), "{answer}");
    answer["result"]["document"].clone()
}

fn function<'d>(document: &'d Value, name: &str) -> &'d Value {
    let functions = document["functions"].as_array().unwrap();
    functions.iter().find(|f| f["func"] == name).unwrap()
}

#[test]
fn functions_cost_what_is_in_them_and_below() {
    // Do calls itself: it is counted once.
    let d = document(
        &[profile(&[
            (&[3, 2, 2, 1], 3, 30),
            (&[2, 1], 1, 10),
            (&[1], 6, 60),
        ])],
        &[],
    );
    assert_eq!(
        (&d["total"], &d["type"]["type"]),
        (&json!(100), &json!("cpu"))
    );
    let changed = &function(&d, "example.com/app/svc.(*S).Do");
    assert_eq!(
        (&changed["flat"], &changed["cum"], &changed["changed"]),
        (&json!(10), &json!(40), &json!(true))
    );
    assert_eq!(
        (&changed["line"], &changed["own"]),
        (&json!(34), &json!(true))
    );
    assert_eq!(function(&d, "main.main")["cum"], 100);
    assert_eq!(function(&d, "runtime.mallocgc")["own"], false);
    assert_eq!(
        (&d["change"]["share"], &d["change"]["ownShare"]),
        (&json!(0.4), &json!(0.1))
    );
    assert_eq!(d["change"]["functions"], 1);
    assert_eq!(d["source"]["durationSeconds"], 2.0);
    assert_eq!(d["stacks"][0]["value"], 60);
    let samples = run(
        &[profile(&[(&[1], 6, 60)])],
        &[],
        &json!({ "sample": "samples" }),
    );
    assert_eq!(samples["result"]["document"]["total"], 6);
    let none = run(&[profile(&[])], &[], &json!({ "sample": "space" }));
    assert!(
        none["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("samples, cpu"),
        "{none}"
    );
    assert_eq!(
        document(&[profile(&[])], &[])["change"]["share"],
        Value::Null
    );
}

#[test]
fn without_a_change_nothing_is_said_of_one() {
    let unknown = run(
        &[profile(&[(&[2], 1, 1)])],
        &[],
        &json!({ "changed": null }),
    );
    assert!(
        unknown["result"]["document"]["change"].is_null(),
        "{unknown}"
    );
}

#[test]
fn profiles_are_added_up_and_compared_by_share() {
    let (one, two) = (
        profile(&[(&[2, 1], 1, 10)]),
        profile(&[(&[2, 1], 1, 30), (&[1], 1, 40)]),
    );
    let both = document(&[one.clone(), two.clone()], &[]);
    assert_eq!(
        (&both["total"], &both["source"]["profiles"]),
        (&json!(80), &json!(2))
    );
    let delta = |new: &[u8], old: &[u8]| {
        let d = document(&[new.to_vec()], &[old.to_vec()]);
        (
            function(&d, "example.com/app/svc.(*S).Do")["delta"].clone(),
            d,
        )
    };
    // Ten times the time at the same shares is the same.
    let longer = profile(&[(&[2, 1], 1, 300), (&[1], 1, 400)]);
    assert_eq!(delta(&longer, &two).0["kind"], "same");
    let (grown, d) = delta(&one, &two);
    assert_eq!(grown["kind"], "grown");
    assert!((d["oldChange"]["share"].as_f64().unwrap() - 3.0 / 7.0).abs() < 1e-9);
    let without = profile(&[(&[1], 1, 40)]);
    assert_eq!(delta(&one, &without).0["kind"], "new");
    assert_eq!(delta(&without, &one).0["kind"], "gone");
}

#[test]
fn what_is_written_reads_the_same() {
    let data = profile(&[(&[3, 2, 1], 3, 30), (&[1], 6, 60)]);
    let written = |new: &Vec<u8>, old: &[Vec<u8>]| {
        let answer = run(std::slice::from_ref(new), old, &json!({ "pprof": true }));
        BASE64
            .decode(answer["result"]["pprof"].as_str().unwrap().as_bytes())
            .unwrap()
    };
    let again = written(&data, &[]);
    assert_eq!(again, written(&data, &[]), "the same bytes");
    assert_eq!(
        document(std::slice::from_ref(&again), &[]),
        document(std::slice::from_ref(&data), &[])
    );
    let difference = written(&data, &[profile(&[(&[1], 1, 10)])]);
    let d = document(&[difference], &[]);
    assert_eq!(
        (&d["total"], &function(&d, "main.main")["flat"]),
        (&json!(80), &json!(50))
    );
}

#[test]
fn what_is_none_is_said() {
    for (data, want) in [
        (b"".to_vec(), "the profile is empty"),
        (
            b"<!DOCTYPE html>\n<html>".to_vec(),
            "it is text that begins with \"<!DOCTYPE html>\"",
        ),
        (
            b"heap profile: 1: 2 [3: 4] @ heap/1".to_vec(),
            "it is text that begins with \"heap profile",
        ),
        (
            profile(&[])[..40].to_vec(),
            "no profile of pprof is in it, or it is damaged",
        ),
        (bytes(2, &bytes(1, &[0xff])), "no profile of pprof"),
    ] {
        let answer = run(&[data], &[], &json!({}));
        let error = &answer["error"];
        assert_eq!(
            (&error["code"], &error["path"]),
            (&json!("no_profile"), &json!("p")),
            "{answer}"
        );
        assert!(error["message"].as_str().unwrap().contains(want), "{error}");
    }
    let mut other = profile(&[]);
    other.extend(bytes(1, &[number(1, 5), number(2, 2)].concat()));
    for (new, old) in [
        (vec![profile(&[]), other.clone()], vec![]),
        (vec![profile(&[])], vec![other]),
    ] {
        let answer = run(&new, &old, &json!({}));
        assert!(
            answer["error"]["message"]
                .as_str()
                .unwrap()
                .contains("cannot be put together"),
            "{answer}"
        );
    }
    let missing = goat_diag::run(
        br#"{"format":1,"op":"profile","sources":[{"name":"n","path":"/no/such"}]}"#,
        &|| false,
    );
    let missing = String::from_utf8(missing.unwrap()).unwrap();
    assert!(missing.contains("the profile cannot be read"), "{missing}");
}

/// What cannot be a profile is not read to its end, however large it is.
#[test]
fn large_files_of_something_else_are_left_at_once() {
    let large = tempfile::NamedTempFile::new().unwrap();
    large.as_file().set_len(4 << 30).unwrap();
    let request =
        json!({"format": 1, "op": "profile", "sources": [{"name": "n", "path": large.path()}]});
    let answer = goat_diag::run(request.to_string().as_bytes(), &|| false).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains("no profile of pprof is in it"), "{answer}");
}

/// What is cut short says so, and what to do.
#[test]
fn profiles_that_end_in_the_middle_are_said() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &profile(&[(&[3, 2, 1], 3, 30)])).unwrap();
    let packed = packed.finish().unwrap();
    let answer = run(&[packed[..packed.len() - 12].to_vec()], &[], &json!({}));
    let error = &answer["error"];
    assert_eq!(error["code"], "unreadable", "{answer}");
    assert!(
        error["hint"].as_str().unwrap().contains("fetch it again"),
        "{answer}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever bytes come, there is an answer.
    #[test]
    fn damaged_profiles_have_an_answer(cuts in proptest::collection::vec((0..600_usize, any::<u8>()), 0..6), raw in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut data = profile(&[(&[3, 2, 2, 1], 3, 30), (&[2, 1], 1, 10)]);
        for (at, byte) in cuts {
            let at = at % data.len();
            data[at] = byte;
        }
        for data in [data, raw] {
            let answer = run(&[data], &[], &json!({ "pprof": true }));
            prop_assert!(answer["result"].is_object() || answer["error"].is_object());
        }
    }
}

/// A megabyte of zeros that stands in a profile as a field that nobody knows.
fn padding() -> Vec<u8> {
    bytes(100, &vec![0; 1 << 20])
}

fn packed(padded: usize) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let field = padding();
    writer.write_all(&profile(&[(&[1], 1, 10)])).unwrap();
    (0..padded).for_each(|_| writer.write_all(&field).unwrap());
    writer.finish().unwrap()
}

#[test]
fn what_unpacks_to_more_than_a_gibibyte_is_refused() {
    let small = packed(3);
    let d = document(&[small], &[]);
    assert_eq!(d["total"], 10);
    let answer = run(&[packed(1025)], &[], &json!({}));
    assert_eq!(answer["error"]["code"], "unreadable", "{answer}");
    assert!(
        answer.to_string().contains("it holds more than 1024 MiB"),
        "{answer}"
    );
    assert_ne!(answer["error"]["hint"], "");
    // The most that the kernel has seen this process hold.
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let most: u64 = line
            .unwrap()
            .split_whitespace()
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        assert!(most < 2 << 20, "{most} KiB");
    }
}
