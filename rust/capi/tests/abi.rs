//! The contract of `include/goat.h`, seen from a caller.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::ffi::CStr;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::ptr;
use std::thread;

use goat::boundary::{Answer, invoke};
use goat::{
    GOAT_ABI_VERSION, GoatBuffer, GoatStatus, goat_abi_v1, goat_abi_version, goat_buffer_free,
    goat_run, goat_version,
};
use serde_json::{Value, json};

fn raw_call(data: *const u8, len: usize) -> (GoatStatus, Value) {
    // Not zeroed on purpose: goat_run must overwrite whatever stands there.
    let mut out = GoatBuffer {
        data: ptr::dangling_mut(),
        len: 99,
    };
    // SAFETY: the callers below pass NULL, or the pointer and length of a slice.
    let status = unsafe { goat_run(data, len, &raw mut out) };
    assert!(!out.data.is_null(), "there is an answer on every path");
    // SAFETY: goat_run says that this many bytes are readable there.
    let bytes = unsafe { std::slice::from_raw_parts(out.data, out.len) }.to_vec();
    // SAFETY: it comes from goat_run and is freed once.
    unsafe { goat_buffer_free(out) };
    (status, serde_json::from_slice(&bytes).unwrap())
}

fn call(request: &[u8]) -> (GoatStatus, Value) {
    raw_call(request.as_ptr(), request.len())
}

fn error_code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap()
}

#[test]
fn version_answers() {
    let (status, answer) = call(br#"{"format":1,"op":"version"}"#);
    assert_eq!(status, GoatStatus::Ok, "{answer}");
    assert_eq!(answer["result"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(answer["result"]["abi"], GOAT_ABI_VERSION);
    // SAFETY: a static string that ends with NUL.
    let version = unsafe { CStr::from_ptr(goat_version()) };
    assert_eq!(version.to_str().unwrap(), env!("CARGO_PKG_VERSION"));
    assert_eq!(goat_abi_version(), GOAT_ABI_VERSION);
    goat_abi_v1();
}

#[test]
fn null_out_is_refused_and_nothing_is_written() {
    let request = br#"{"format":1,"op":"version"}"#;
    // SAFETY: a NULL out is what is tested; the request is a slice.
    let status = unsafe { goat_run(request.as_ptr(), request.len(), ptr::null_mut()) };
    assert_eq!(status, GoatStatus::Argument);
}

#[test]
fn null_request_is_refused_unless_empty() {
    let (status, answer) = raw_call(ptr::null(), 5);
    assert_eq!(status, GoatStatus::Argument);
    assert_eq!(error_code(&answer), "bad_request");
    assert_eq!(
        answer["error"]["message"],
        "the request is NULL, but its length is not 0"
    );

    let (status, answer) = raw_call(ptr::null(), 0);
    assert_eq!(status, GoatStatus::Error);
    assert_eq!(error_code(&answer), "bad_request");
}

#[test]
fn length_zero_ignores_the_pointer() {
    let (status, _) = raw_call(ptr::dangling(), 0);
    assert_eq!(status, GoatStatus::Error);
}

#[test]
fn impossible_length_is_refused() {
    let (status, answer) = raw_call(ptr::dangling(), usize::MAX);
    assert_eq!(status, GoatStatus::Argument);
    assert_eq!(
        answer["error"]["message"],
        "the request is longer than the address space"
    );
}

#[test]
fn bad_requests_are_errors_with_all_fields() {
    for request in [
        &b"{\"format\":1,\"op\":\"\xff\"}"[..],
        b"nonsense",
        b"[]",
        b"null",
        br#"{"format":1}"#,
        br#"{"format":2,"op":"version"}"#,
        br#"{"format":1,"op":"dance"}"#,
        br#"{"format":1,"op":"plan","dir":"/","nonsense":true}"#,
        br#"{"format":1,"op":"version","controlFd":-1,"progressFd":99999}"#,
    ] {
        let (status, answer) = call(request);
        assert_eq!(status, GoatStatus::Error, "{answer}");
        assert_eq!(error_code(&answer), "bad_request", "{answer}");
        let error = answer["error"].as_object().unwrap();
        for field in ["code", "message", "hint", "path", "causes"] {
            assert!(error.contains_key(field), "{field} is missing in {answer}");
        }
    }
}

#[test]
fn bad_utf8_is_named() {
    let (_, answer) = call(b"{\"format\":1,\"op\":\"\xff\"}");
    assert_eq!(answer["error"]["message"], "the request is not UTF-8");
}

#[test]
fn freeing_a_zero_buffer_is_nothing() {
    // SAFETY: a zero buffer owns nothing.
    unsafe { goat_buffer_free(GoatBuffer::empty()) };
}

#[test]
fn a_panic_is_an_answer() {
    let answer = invoke(|| panic!("on purpose"));
    assert_eq!(answer.status, GoatStatus::Panic);
    let json: Value = serde_json::from_slice(&answer.json).unwrap();
    assert_eq!(json["error"]["code"], "internal");
    assert_eq!(json["error"]["message"], "goat panicked: on purpose");
    let place = json["error"]["causes"][0].as_str().unwrap();
    assert!(place.contains("tests/abi.rs:"), "{place}");
    assert!(
        json["error"]["hint"].as_str().unwrap().contains("report"),
        "{json}"
    );

    // The library is still usable.
    let (status, _) = call(br#"{"format":1,"op":"version"}"#);
    assert_eq!(status, GoatStatus::Ok);
}

#[test]
fn a_panic_without_text_is_an_answer() {
    let answer = invoke(|| std::panic::panic_any(7_u8));
    assert_eq!(answer.status, GoatStatus::Panic);
}

#[test]
fn the_callers_stack_may_be_small() {
    // 2,048 frames of at least 1 KiB: more than this thread has, and than a default one.
    fn deep(levels: u64) -> u64 {
        let frame = std::hint::black_box([levels as u8; 1024]);
        if levels == 0 {
            u64::from(frame[0])
        } else {
            1 + deep(levels - 1)
        }
    }
    let work = || Answer {
        status: GoatStatus::Ok,
        json: deep(2048).to_string().into_bytes(),
    };
    let caller = thread::Builder::new()
        .stack_size(64 << 10)
        .spawn(move || invoke(work));
    let answer = caller.unwrap().join().unwrap();
    assert_eq!(answer.json, b"2048");
}

#[test]
fn any_thread_any_number_at_once() {
    let workers: Vec<_> = (0..16)
        .map(|n| {
            thread::spawn(move || {
                for _ in 0..20 {
                    let (status, answer) = if n % 2 == 0 {
                        call(br#"{"format":1,"op":"version"}"#)
                    } else {
                        call(format!(r#"{{"format":1,"op":"unknown {n}"}}"#).as_bytes())
                    };
                    let expected = if n % 2 == 0 {
                        GoatStatus::Ok
                    } else {
                        GoatStatus::Error
                    };
                    assert_eq!(status, expected, "{answer}");
                    let text = answer.to_string();
                    assert_eq!(n % 2 == 1, text.contains(&format!("unknown {n}")), "{text}");
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
}

fn git(dir: &std::path::Path, args: &[&str]) {
    let status = std::process::Command::new("git")
        .current_dir(dir)
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(args)
        .status()
        .unwrap();
    assert!(status.success());
}

/// A module with one changed function on a branch.
fn repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("go.mod", "module example.com/m\n\ngo 1.23\n");
    write("a.go", "package m\n\nfunc F() int {\n\treturn 1\n}\n");
    git(dir.path(), &["init", "-q"]);
    git(dir.path(), &["add", "."]);
    git(dir.path(), &["commit", "-q", "-m", "base"]);
    git(dir.path(), &["checkout", "-q", "-b", "change"]);
    write("a.go", "package m\n\nfunc F() int {\n\treturn 2\n}\n");
    dir
}

fn plan_request(dir: &std::path::Path, control: i32, progress: i32) -> Vec<u8> {
    json!({
        "format": 1, "op": "plan", "dir": dir, "base": "main", "release": "", "range": "merge-base",
        "precision": 2, "granularity": "patch", "exact": false, "config": {}, "build": null,
        "outDir": "", "controlFd": control, "progressFd": progress,
    })
    .to_string()
    .into_bytes()
}

#[test]
fn end_of_file_on_the_control_descriptor_cancels() {
    let dir = repository();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(writer);
    // The end of file may be seen after a plan as small as this one is done, so it is
    // asked for until it was not.
    let cancelled = (0..1000).any(|_| {
        let (status, answer) = call(&plan_request(dir.path(), reader.as_raw_fd(), -1));
        if status == GoatStatus::Ok {
            return false;
        }
        assert_eq!(error_code(&answer), "cancelled", "{answer}");
        true
    });
    assert!(cancelled);
    // The descriptor is still the caller's.
    assert_eq!((&reader).read(&mut [0]).unwrap(), 0);
}

#[test]
fn progress_is_json_lines() {
    let dir = repository();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let (status, answer) = call(&plan_request(dir.path(), -1, writer.as_raw_fd()));
    assert_eq!(status, GoatStatus::Ok, "{answer}");
    // Still open: closing it is the caller's business.
    (&writer).write_all(b"{\"last\":true}\n").unwrap();
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.len() > 1, "{text}");
    let (last, steps) = lines.split_last().unwrap();
    assert_eq!(last["last"], true);
    for step in steps {
        assert!(
            step["stage"].is_string() && step["done"].is_u64() && step["total"].is_u64(),
            "{step}"
        );
    }
}

#[test]
fn a_reader_that_is_gone_harms_nobody() {
    let dir = repository();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let (status, answer) = call(&plan_request(dir.path(), -1, writer.as_raw_fd()));
    assert_eq!(status, GoatStatus::Ok, "{answer}");
}
