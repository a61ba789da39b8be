//! Dumps as they come: bare, and as loggers, shells, test runners and people have
//! wrapped them. Each case says what must be found; nothing is taken from the reader.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::{Value, json};

const TWO: &str = "goroutine 1 [running]:\n\
main.main()\n\
\t/src/app/main.go:12 +0x1d\n\
\n\
goroutine 18 [chan receive, 7 minutes]:\n\
example.com/app/svc.(*S).Do(0xc000012345, {0x1, 0x2})\n\
\t/src/app/svc/a.go:34 +0x2e\n\
created by main.main in goroutine 1\n\
\t/src/app/main.go:9 +0x3f\n";

fn run(request: &Value) -> Value {
    let text = request.to_string();
    let answer = goat_diag::run(text.as_bytes(), &|| false).unwrap();
    serde_json::from_slice(&answer).unwrap()
}

fn text(text: &str) -> Value {
    let answer =
        run(&json!({ "format": 1, "op": "dump", "sources": [{ "name": "t", "text": text }] }));
    assert!(answer["error"].is_null(), "{}\n{text}", answer["error"]);
    answer["result"].clone()
}

fn bytes(data: &[u8]) -> Value {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(data).unwrap();
    run(&json!({ "format": 1, "op": "dump", "sources": [{ "name": "t", "path": file.path() }] }))
}

/// What `TWO` holds, in whatever it is wrapped.
fn is_two(found: &Value) {
    assert_eq!(found["source"]["goroutines"], 2, "{found:#}");
    assert_eq!(found["source"]["parsed"], 2);
    let clusters = found["clusters"].as_array().unwrap();
    let waits = clusters
        .iter()
        .find(|c| c["dimension"] == "channel")
        .unwrap();
    assert_eq!(waits["primitive"], "recv");
    assert_eq!(waits["waitMinutes"]["max"], 7);
    assert_eq!(waits["creator"], "main.main");
    assert_eq!(waits["frames"].as_array().unwrap().len(), 1);
    assert_eq!(waits["frames"][0]["func"], "example.com/app/svc.(*S).Do");
    assert_eq!(waits["frames"][0]["file"], "/src/app/svc/a.go");
    assert_eq!(waits["frames"][0]["line"], 34);
}

fn each_line(f: impl Fn(usize, &str) -> String) -> String {
    TWO.lines().enumerate().map(|(n, l)| f(n, l)).collect()
}

#[test]
fn wrapped_in_all_ways() {
    let cases = [
        TWO.to_owned(),
        TWO.replace('\n', "\r\n"),
        each_line(|n, l| format!("2024-01-02T03:04:05.{n}7Z stderr F {l}\n")),
        each_line(|n, l| format!("Jan 02 03:04:{:02} host app[123]: {l}\n", n + 8)),
        each_line(|_, l| format!("[pod/app-7c9-x2/app] {l}\n")),
        each_line(|_, l| format!("> {l}\n")),
        each_line(|_, l| format!("    {}\n", l.replace('\t', "    "))),
        each_line(|_, l| format!("Jan 02 03:04:05 host app: {}\n", l.replace('\t', "#011"))),
        each_line(|_, l| {
            json!({ "Action": "output", "Test": "TestX", "Output": format!("{l}\n") }).to_string()
                + "\n"
        }),
        each_line(|_, l| json!({ "log": format!("{l}\n"), "stream": "stderr" }).to_string() + "\n"),
        json!({ "level": "error", "stack": TWO, "n": 1 }).to_string(),
        json!({ "outer": json!({ "msg": TWO }).to_string() }).to_string(),
        format!("time=1 level=ERROR msg={TWO:?} x=1\n"),
        format!("2024/01/02 stack: {TWO}"),
        format!("Hello,\nplease look at this:\n\n```\n{TWO}```\n\nThanks (me)\n"),
        TWO.replace("\n\ngoroutine", "\ngoroutine"),
    ];
    for case in cases {
        is_two(&text(&case));
    }
}

#[test]
fn compressed_and_in_wide_characters() {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(TWO.as_bytes()).unwrap();
    let packed = gz.finish().unwrap();
    is_two(&bytes(&packed)["result"]);
    let wide: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(TWO.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    is_two(&bytes(&wide)["result"]);
    is_two(&bytes(&[b"\xef\xbb\xbf", TWO.as_bytes()].concat())["result"]);
    // Half of it: what is there is shown, and that the rest is missing is said.
    let half = bytes(&packed[..packed.len() - 12]);
    let said =
        half["result"]["source"]["truncated"] == true || half["error"]["code"] == "unreadable";
    assert!(said, "{half:#}");
}

#[test]
fn what_is_not_read_is_named_with_its_place() {
    let found = text(&TWO.replace("main.main()\n", "main.main()\na note of mine, with words\n"));
    is_two(&found);
    let notes = found["source"]["notParsed"].as_array().unwrap();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0]["line"], 3);
    assert_eq!(notes[0]["reason"], "no frame of a goroutine");
    assert_eq!(found["source"]["notParsedLines"], 1);
}

#[test]
fn several_dumps_and_a_cut_one() {
    let found = text(&format!("{TWO}\n{TWO}"));
    assert_eq!(found["source"]["goroutines"], 4);
    assert_eq!(found["sources"][0]["dumps"], 2);
    let cut = &TWO[..TWO.len() - 30];
    assert_eq!(text(cut)["source"]["truncated"], true);
    assert_eq!(text(TWO)["source"]["truncated"], false);
}

#[test]
fn goroutines_that_threads_print_again_count_once() {
    let again = "goroutine 7 gp=0xc1 m=2 mp=0xc2 [syscall]:\nmain.f()\n\t/a.go:1 +0x1\n\nrax    0x0\nrip    0x1\n";
    let found = text(&format!(
        "SIGQUIT: quit\nPC=0x1 m=0 sigcode=0\n\n{again}\n-----\n\n{again}"
    ));
    assert_eq!(found["source"]["goroutines"], 1, "{found:#}");
    assert_eq!(found["source"]["notParsedLines"], 0);
    assert_eq!(found["crashes"][0]["kind"], "signal");
}

#[test]
fn a_panic_cannot_forge_a_goroutine() {
    let forged = "panic: x\ngoroutine 7 [running]:\nmain.fake()\n\t/f.go:1 +0x1\n\ngoroutine 1 [running]:\nmain.main()\n\t/m.go:2 +0x1\n";
    let found = text(forged);
    assert_eq!(found["source"]["goroutines"], 1, "{found:#}");
    assert_eq!(found["crashes"][0]["goroutine"], 1);
    assert!(
        found["crashes"][0]["message"]
            .as_str()
            .unwrap()
            .contains("goroutine 7")
    );
}

#[test]
fn crashes_are_read() {
    let chain = "panic: first [recovered]\n\tpanic: second\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]\n\ngoroutine 1 [running]:\npanic({0x1?, 0x2?})\n\t/usr/lib/go/src/runtime/panic.go:1 +0x1\nmain.main()\n\t/m.go:2 +0x1\nexit status 2\n";
    let found = text(chain);
    let crash = &found["crashes"][0];
    assert_eq!(
        (&crash["kind"], &crash["message"]),
        (&json!("panic"), &json!("second"))
    );
    assert_eq!(crash["chain"][0]["recovered"], true);
    assert!(crash["signal"].as_str().unwrap().starts_with("SIGSEGV"));
    assert_eq!(crash["frames"].as_array().unwrap().len(), 2);
    let logged = format!(
        "2024/01/02 http: panic serving 127.0.0.1:80: boom\n{}",
        TWO.replace("\n\ngoroutine", "\ngoroutine")
    );
    let crash = &text(&logged)["crashes"][0];
    assert_eq!(
        (&crash["message"], &crash["recovered"]),
        (&json!("boom"), &json!("yes"))
    );
    // Also where a plain dump follows in the same log.
    let both = text(&format!(
        "{logged}SIGQUIT: quit\nPC=0x1 m=0 sigcode=0\n\n{TWO}"
    ));
    assert_eq!(both["crashes"].as_array().unwrap().len(), 2);
    assert_eq!(both["source"]["notParsedLines"], 0, "{both:#}");
    let tests = "panic: test timed out after 1s\n\trunning tests:\n\t\tTestX (1s)\n\ngoroutine 1 [running]:\ntesting.f()\n\t/t.go:2 +0x1\n";
    assert_eq!(text(tests)["source"]["goroutines"], 1);
    assert_eq!(text("panic: alone\n")["crashes"][0]["message"], "alone");
    // A log line that only speaks of a panic is none.
    let spoken = format!("2024 worker: recovering from panic: x\n2024 more\n{TWO}");
    assert_eq!(text(&spoken)["crashes"], json!([]));
}

#[test]
fn races_are_read() {
    let race = "==================\nWARNING: DATA RACE\nWrite at 0x00c000012345 by goroutine 7:\n  main.f()\n      /a.go:3 +0x1\n\nPrevious read at 0x00c000012345 by main goroutine:\n  [failed to restore the stack]\n\nGoroutine 7 (running) created at:\n  main.main()\n      /a.go:9 +0x1\n==================\nFound 1 data race(s)\nexit status 66\n";
    let found = text(race);
    let race = &found["races"][0];
    assert_eq!(race["accesses"][0]["operation"], "write");
    assert_eq!(race["accesses"][0]["frames"][0]["line"], 3);
    assert_eq!(race["accesses"][1]["goroutine"], 1);
    assert_eq!(race["created"][0]["state"], "running");
    assert_eq!(found["source"]["notParsedLines"], 0, "{found:#}");
}

#[test]
fn profiles_as_text() {
    let profile = "goroutine profile: total 5\n3 @ 0x100 0x200 0x300 0x400 0x500\n# labels: {\"k\":\"v v\"}\n#\t0x3ff\tmain.f+0x1f\t/src/a b/a.go:3\n#\t0x4ff\tmain.main+0x2f\t/src/a.go:9\n\n1 @ 0x100 0x210 0x400\n#\t0x3ff\tmain.g+0x1f\t/src/a.go:4\n\n";
    let found = text(profile);
    assert_eq!(found["source"]["goroutines"], 5);
    assert_eq!(found["source"]["parsed"], 4);
    assert_eq!(found["source"]["truncated"], true);
    let clusters = found["clusters"].as_array().unwrap();
    let f = clusters
        .iter()
        .find(|c| c["frames"][0]["func"] == "main.f")
        .unwrap();
    assert_eq!(
        (&f["dimension"], &f["count"]),
        (&json!("channel"), &json!(3))
    );
    assert_eq!(f["frames"][0]["file"], "/src/a b/a.go");
    assert_eq!(f["labels"][0]["labels"]["k"], "v v");
    assert!(clusters.iter().any(|c| c["dimension"] == "select"));
    let heap = run(
        &json!({ "format": 1, "op": "dump", "sources": [{ "name": "t", "text": "heap profile: 1: 2 [3: 4] @ heap/1048576\n1: 2 [3: 4] @ 0x1\n" }] }),
    );
    assert_eq!(heap["error"]["code"], "no_dump");
    assert!(heap["error"]["message"].as_str().unwrap().contains("heap"));
}

#[test]
fn locks_have_owners_and_circles() {
    let waits = |id: u64, lock: &str, inner: &str, outer: &str| {
        format!(
            "goroutine {id} [sync.Mutex.Lock]:\nsync.runtime_SemacquireMutex(0x1?)\n\t/go/src/runtime/sema.go:9 +0x1\nsync.(*Mutex).lockSlow({lock})\n\t/go/src/sync/mutex.go:9 +0x1\nsync.(*Mutex).Lock(...)\n\t/go/src/sync/mutex.go:8\nmain.(*A).inner({inner})\n\t/a.go:1 +0x1\nmain.(*A).outer({outer})\n\t/a.go:2 +0x1\n\n"
        )
    };
    let found = text(
        &(waits(5, "0xc000100008", "0xc000100000", "0xc000200000")
            + &waits(6, "0xc000200008", "0xc000200000", "0xc000100000")),
    );
    assert_eq!(found["deadlocks"], json!([[5, 6]]), "{found:#}");
    assert_eq!(found["locks"][0]["owners"][0]["confidence"], "high");
    let own = text(&waits(5, "0xc000100008", "0xc000100000", "0xc000100000"));
    assert_eq!(own["deadlocks"], json!([[5]]));
}

#[test]
fn diff_and_conditions() {
    let grown = format!(
        "{TWO}\ngoroutine 19 [chan receive]:\nexample.com/app/svc.(*S).Do(0xc0, {{0x1, 0x2}})\n\t/elsewhere/app/svc/a.go:34 +0x2e\ncreated by main.main in goroutine 1\n\t/src/app/main.go:9 +0x3f\n\ngoroutine 20 [select (no cases)]:\nmain.hang()\n\t/src/app/main.go:20 +0x1\n"
    );
    let request = |now: &str, old: &str, fail_if: &str| {
        run(&json!({ "format": 1, "op": "dump", "sources": [{ "name": "now", "text": now }], "diff": [{ "name": "old", "text": old }],
            "changed": [{ "package": "example.com/app/svc", "file": "svc/a.go", "func": "(*S).Do", "lines": [34] }], "failIf": fail_if }))["result"].clone()
    };
    let found = request(&grown, TWO, "grown.changed>0 && new>0");
    assert_eq!(found["failIf"]["failed"], true, "{found:#}");
    assert_eq!(found["figures"]["grown"], 1.0);
    assert_eq!(found["figures"]["neverWakes"], 1.0);
    assert_eq!(found["figures"]["goroutines.changed"], 2.0);
    assert_eq!(request(TWO, &grown, "grown>0")["failIf"]["failed"], false);
    assert_eq!(request(TWO, &grown, "gone>1")["failIf"]["failed"], true);
    // An edit above moves the lines; it is the same code.
    let moved = request(&TWO.replace(":34", ":35"), TWO, "new>0");
    assert_eq!(moved["failIf"]["failed"], false, "{moved:#}");
}

#[test]
fn what_is_wrong_is_said() {
    let error = |request: Value| run(&request)["error"].clone();
    let source = json!([{ "name": "t", "text": TWO }]);
    let with = |fail_if: &str| {
        error(json!({ "format": 1, "op": "dump", "sources": source, "failIf": fail_if }))
    };
    assert!(with("lost>1")["hint"].as_str().unwrap().contains("leaked"));
    assert!(
        with("new.changed>0")["hint"]
            .as_str()
            .unwrap()
            .contains("--diff")
    );
    for (text, code) in [
        ("", "no_dump"),
        ("hello\n", "no_dump"),
        ("==================\nnothing\n", "no_dump"),
    ] {
        let e =
            error(json!({ "format": 1, "op": "dump", "sources": [{ "name": "t", "text": text }] }));
        assert_eq!(
            (&e["code"], &e["path"]),
            (&json!(code), &json!("t")),
            "{text:?}"
        );
    }
    let missing = error(
        json!({ "format": 1, "op": "dump", "sources": [{ "name": "t", "path": "/no/such" }] }),
    );
    assert_eq!(missing["code"], "unreadable");
    let stopped = goat_diag::run(
        json!({ "format": 1, "op": "dump", "sources": [{ "name": "t", "text": "x\n".repeat(40_000) }] }).to_string().as_bytes(),
        &|| true,
    );
    assert!(
        String::from_utf8(stopped.unwrap())
            .unwrap()
            .contains("cancelled")
    );
    assert!(goat_diag::run(br#"{"format":1,"op":"plan"}"#, &|| false).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever bytes come, there is an answer.
    #[test]
    fn any_bytes_have_an_answer(data in proptest::collection::vec(any::<u8>(), 0..400)) {
        let answer = bytes(&data);
        prop_assert!(answer["result"].is_object() || answer["error"].is_object());
    }

    /// Damage does not stop the reader, and no goroutine is counted that is not read.
    #[test]
    fn damaged_dumps_have_an_answer(cuts in proptest::collection::vec((0..400_usize, any::<u8>()), 1..6), join in any::<bool>()) {
        let mut data = format!("panic: x\n\n{TWO}\ngoroutine profile: total 2\n2 @ 0x1 0x2\n#\t0x1\tmain.f+0x1\t/a.go:1\n\nWARNING: DATA RACE\nRead at 0x1 by goroutine 2:\n  f.g()\n      /a.go:1 +0x1\n").into_bytes();
        for (at, byte) in cuts {
            let at = at % data.len();
            if join { data.remove(at); } else { data[at] = byte; }
        }
        let answer = bytes(&data);
        if let Some(parsed) = answer["result"]["source"]["parsed"].as_u64() {
            prop_assert!(answer["result"]["source"]["goroutines"].as_u64().unwrap() >= parsed);
        } else {
            prop_assert!(answer["error"].is_object());
        }
    }
}

/// A process ends once, although its runtime's record and Go's own text both say so, and
/// the panics of the same cause before it did not end it.
#[test]
fn a_process_ends_once() {
    let end = "panic: out of luck\n\ngoroutine 1 [running]:\nmain.draw()\n\t/src/app/main.go:7 +0x1\nmain.main()\n\t/src/app/main.go:12 +0x1d\nexit status 2\n";
    let frames = json!([{ "func": "main.draw", "file": "/src/app/main.go", "line": 7 }]);
    let event = json!({ "source": "a.spool", "instance": "a", "type": "string", "message": "out of luck", "recovered": "no", "count": 5, "frames": frames });
    let sources = json!([{ "name": "a.crash", "text": end, "instance": "a", "crashOutput": true }]);
    for (sources, goroutine) in [(sources, 1), (json!([]), 0)] {
        let found = run(
            &json!({ "format": 1, "op": "panics", "sources": sources, "events": [event.clone()] }),
        );
        let panics = found["result"]["panics"].as_array().unwrap();
        assert_eq!(panics.len(), 1, "{found:#}");
        let one = &panics[0];
        assert_eq!(
            (
                &one["count"],
                &one["ended"],
                &one["recovered"],
                &one["goroutine"]
            ),
            (&json!(5), &json!(1), &json!("no"), &json!(goroutine)),
            "{found:#}"
        );
    }
}

#[test]
fn control_characters_make_no_profile_of_a_text() {
    for before in [
        "\x07",
        "\x1b[31mred\x1b[0m \x07\n",
        "\0",
        "\n\x07beep\n",
        "2026-11-28 \x07 12:00:00 died\n",
        "panic: \x07\x08 bell\n\n",
        "x\x01y\x02\n",
        "\x08\x08\x08 overtyped\n",
    ] {
        let dump = format!("{before}\n{TWO}");
        is_two(&bytes(dump.as_bytes())["result"]);
        is_two(&text(&dump));
    }
}

#[test]
fn a_race_report_with_nothing_in_it() {
    for text in [
        "WARNING: DATA RACE\n",
        "==================\nWARNING: DATA RACE\n==================\n",
    ] {
        let answer = bytes(text.as_bytes());
        assert_eq!(answer["error"]["code"], "no_dump", "{answer}");
        assert!(answer["error"]["hint"].as_str().unwrap().contains("whole"));
    }
    let cut = bytes(b"\x1f\x8b");
    assert_eq!(cut["error"]["code"], "unreadable", "{cut}");
    assert!(cut["error"]["hint"].as_str().unwrap().contains("again"));
}

/// A stream whose end nobody has seen: a pipe that another thread fills until it is closed.
fn endless(fill: impl Fn(u64) -> Vec<u8> + Send + 'static) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    let status = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(status.unwrap().success());
    let place = pipe.clone();
    let writer = std::thread::spawn(move || {
        let mut into = std::fs::File::options().write(true).open(place).unwrap();
        assert!((0..1 << 20).any(|n| into.write_all(&fill(n)).is_err()));
    });
    let answer =
        run(&json!({ "format": 1, "op": "dump", "sources": [{ "name": "t", "path": pipe }] }));
    writer.join().unwrap();
    answer
}

#[test]
fn what_has_no_end_is_given_up() {
    for (fill, why) in [
        (b"x".as_slice(), "no line ends in 256 MiB"),
        (b"a\0b\n".as_slice(), "lines hold a NUL"),
    ] {
        let answer = endless(move |_| fill.repeat(1 << 16));
        assert_eq!(answer["error"]["code"], "unreadable", "{answer}");
        assert!(answer.to_string().contains(why), "{answer}");
        assert_ne!(answer["error"]["hint"], "");
    }
    // What came before is not lost, and it is said that there is more.
    let answer = endless(|n| match n {
        0 => TWO.as_bytes().to_vec(),
        _ => vec![b'x'; 1 << 20],
    });
    assert_eq!(answer["result"]["source"]["parsed"], 2, "{answer}");
    assert!(answer.to_string().contains("no line ends in 256 MiB"));
}
