//! The helper's short way: which runs of go's tools need nothing of goat.
//!
//! go starts the helper (`goat toolexec`) once per tool run, and nearly all of those
//! are for packages outside the plan: the standard library, other modules, assembly.
//! They are told from the arguments and two looks into the plan directory, before
//! the Go part of the helper has even started. What is not surely such a run is left
//! to that part (`go/internal/toolexec`), which decides alone and would have come to
//! the same end here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::plan::short_hash;

pub mod record;

/// The package of files that are given on go's command line: its import path is
/// found by its module.
const FILE_LIST: &str = "command-line-arguments";

/// What goat's own files in a build have in their names (`go/internal/hook`).
const OURS: &str = "goat_";

/// A tool run that needs nothing of goat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed<'a> {
    /// Where in the arguments the tool stands; it is to be executed with what follows.
    pub tool: usize,
    /// Its base name.
    pub name: &'a str,
    /// The program to execute.
    pub program: Cow<'a, Path>,
    /// The log of a build that is measured: who has one waits for the tool.
    pub timings: Option<&'a Path>,
}

/// Looks at the arguments that follow `goat toolexec`, and at go's
/// `TOOLEXEC_IMPORTPATH` and `PATH`; `None` where the run may need more than an exec.
#[must_use]
pub fn passes<'a>(
    args: &[&'a OsStr],
    import_path: Option<&OsStr>,
    search: &OsStr,
) -> Option<Passed<'a>> {
    let (mut plan, mut overlay, mut timings) = (None, None, None);
    let mut measured_only = false;
    let mut tool = 0;
    while let Some(flag) = args.get(tool)?.to_str().filter(|arg| arg.starts_with("--")) {
        tool += 1;
        if matches!(flag, "--panics" | "--pprof") {
            continue; // of concern to package runtime, which is marked, and to the linker
        }
        match flag.split_once('=')? {
            ("--plan", dir) => plan = Some(Path::new(dir)),
            ("--overlay", file) => overlay = Some(Path::new(file)),
            ("--server", _) => {}
            ("--timings", file) => timings = Some(Path::new(file)),
            ("--measure", file) => (timings, measured_only) = (Some(Path::new(file)), true),
            _ => return None,
        }
    }
    // Bare mode has no --plan: what it does at its first run is not for here. Who only
    // measures has none either, and all tools are plain there.
    let plan = plan.filter(|dir| dir.is_absolute());
    if plan.is_none() && !measured_only {
        return None;
    }
    let path = Path::new(args[tool]);
    let name = path.file_name()?.to_str()?;
    let rest = &args[tool + 1..];
    let found_plain = |program| Passed {
        tool,
        name,
        program,
        timings,
    };
    if rest.first().is_some_and(|arg| *arg == "-###") {
        // How go asks a C compiler, which it names without a path, for its version.
        return found(args[tool], search).map(|program| found_plain(Cow::Owned(program)));
    }
    let package = match import_path {
        Some(path) => path.to_str()?.split(' ').next()?,
        // go asks for versions before it knows a package.
        None => "",
    };
    let passes = match name {
        _ if rest.iter().any(|arg| starts(arg, "@")) => false,
        "compile" | "link" | "cgo" | "cover" | "vet" | "fix" if is_version(rest) => true,
        "asm" => true,
        "compile" => compiles_plain(rest) && outside(plan, package),
        "cgo" => outside(plan, package),
        "vet" => vets_plain(rest, overlay),
        _ => false,
    };
    (passes && path.is_absolute()).then(|| found_plain(Cow::Borrowed(path)))
}

/// The program of a bare name; `None` also where a relative directory comes first, in
/// which Go does not look.
fn found(name: &OsStr, search: &OsStr) -> Option<PathBuf> {
    if starts(name, "/") || name.as_encoded_bytes().contains(&b'/') {
        return None;
    }
    env::split_paths(search)
        .map(|dir| dir.join(name))
        .find(|file| !file.is_absolute() || fs::metadata(file).is_ok_and(|info| info.is_file()))
        .filter(|file| file.is_absolute())
}

/// Appends the line about a run to the file that `GOAT_TOOLEXEC_LOG` names.
pub fn log(file: &OsStr, name: &str, args: &[&OsStr], import_path: &OsStr) {
    let what = args
        .first()
        .filter(|arg| starts(arg, "-V"))
        .unwrap_or(&import_path);
    let line = format!("{name} {}\n", what.to_string_lossy());
    if let Ok(mut file) = File::options().append(true).create(true).open(file) {
        // A debugging aid: that it cannot be written is not worth a word in a build.
        let _ = file.write_all(line.as_bytes());
    }
}

fn starts(arg: &OsStr, prefix: &str) -> bool {
    arg.as_encoded_bytes().starts_with(prefix.as_bytes())
}

fn is_version(args: &[&OsStr]) -> bool {
    matches!(args, [only] if starts(only, "-V"))
}

/// Whether a compile command line holds nothing that concerns goat: no marker, none of
/// its files, and nothing embedded, among which such a file could be.
fn compiles_plain(args: &[&OsStr]) -> bool {
    !args.iter().any(|arg| {
        let file = Path::new(arg).file_name();
        starts(arg, "-goatmark")
            || starts(arg, "-embedcfg")
            || file.is_some_and(|file| file.to_string_lossy().contains(OURS))
    })
}

/// Whether a run of vet is about files that it may see as they are: neither cgo's
/// output, which holds points, nor files that only an overlay has. Goat's own overlay
/// has its own files only; behind one of the user's anything may be.
fn vets_plain(args: &[&OsStr], overlay: Option<&Path>) -> bool {
    let read = |config: &&&OsStr| fs::read(config).ok();
    let Some(config) = args
        .last()
        .filter(|arg| is_config(arg))
        .and_then(|arg| read(&arg))
    else {
        return false;
    };
    let ours = overlay.is_none_or(|file| fs::read(file).is_ok_and(|text| only_ours(&text)));
    ours && !holds(&config, OURS) && !holds(&config, ".cgo1.go")
}

fn is_config(arg: &OsStr) -> bool {
    arg.as_encoded_bytes().ends_with(b"vet.cfg")
}

/// Whether an overlay stands for files of goat's alone.
fn only_ours(overlay: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Overlay {
        replace: BTreeMap<PathBuf, PathBuf>,
    }
    let ours = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().contains(OURS))
    };
    serde_json::from_slice(overlay).is_ok_and(|overlay: Overlay| overlay.replace.keys().all(ours))
}

fn holds(text: &[u8], word: &str) -> bool {
    memchr::memmem::find(text, word.as_bytes()).is_some()
}

/// Whether the plan knows nothing of the package. Errors are for the helper to tell.
fn outside(plan: Option<&Path>, package: &str) -> bool {
    let Some(plan) = plan else {
        return true;
    };
    if package.is_empty() || package == FILE_LIST {
        return false;
    }
    let hash = short_hash(package);
    let absent = |kind| kind == ErrorKind::NotFound;
    let hashed = match fs::read(plan.join(format!("s/{}.json", &hash[..2]))) {
        Ok(shard) => names(&shard, package),
        Err(cause) => !absent(cause.kind()),
    };
    let document = plan.join(format!("p/{hash}.json"));
    !hashed && fs::metadata(document).is_err_and(|cause| absent(cause.kind()))
}

/// Whether a shard may hold the package; import paths need no escapes in JSON.
fn names(shard: &[u8], package: &str) -> bool {
    holds(shard, &format!("\"{package}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_concerns_nobody_passes() -> std::io::Result<()> {
        let plan = tempfile::tempdir()?;
        let dir = plan.path();
        fs::create_dir(dir.join("s"))?;
        fs::create_dir(dir.join("p"))?;
        let write = |path: &str, shard: bool| {
            let hash = short_hash(path);
            let (name, text) = if shard {
                (
                    format!("s/{}.json", &hash[..2]),
                    format!("{{\"packages\":{{\"{path}\":{{}}}}}}"),
                )
            } else {
                (format!("p/{hash}.json"), "{}".into())
            };
            fs::write(dir.join(name), text)
        };
        write("example.com/hashed", true)?;
        write("example.com/planned", false)?;
        let flag = format!("--plan={}", dir.display());
        let cases: &[(&str, &str, bool)] = &[
            ("PLAN /t/compile -V=full", "", true),
            ("PLAN /t/link -V=full", "", true),
            ("PLAN /t/asm -p x a.s", "example.com/planned", true),
            ("PLAN /t/compile -p fmt -std a.go", "fmt", true),
            (
                "PLAN --overlay=/o --server=off /t/compile a.go",
                "fmt",
                true,
            ),
            ("PLAN /t/compile a.go", "example.com/other", true),
            ("PLAN /t/compile a.go", "example.com/hashed", false),
            ("PLAN /t/compile a.go", "example.com/planned", false),
            (
                "PLAN /t/compile a.go",
                "example.com/planned [x.test]",
                false,
            ),
            ("PLAN /t/compile a.go", "command-line-arguments", false),
            ("PLAN /t/compile a.go", "", false),
            ("PLAN /t/compile -goatmark=12 a.go", "fmt", false),
            ("PLAN /t/compile -embedcfg x a.go", "fmt", false),
            ("PLAN /t/compile -embedcfg=x a.go", "fmt", false),
            ("PLAN /t/compile a.go /m/zz_goat_main.go", "x/y", false),
            ("PLAN /t/compile a.go /b/goat_hook.cover.go", "x/y", false),
            ("PLAN /t/compile @/tmp/args", "fmt", false),
            ("PLAN /t/cgo -objdir x a.go", "net", true),
            ("PLAN /t/cgo -objdir x a.go", "example.com/planned", false),
            ("PLAN /t/link -o x", "example.com/other", false),
            ("PLAN /t/vet x/vet.cfg", "fmt", false),
            ("PLAN /t/cover -V=full -x", "fmt", false),
            ("PLAN /usr/bin/time /t/compile a.go", "fmt", false),
            ("PLAN gcc -###", "fmt", false),
            ("PLAN compile a.go", "fmt", false),
            ("PLAN --next=time /t/compile a.go", "fmt", false),
            ("PLAN --timings=/log /t/compile a.go", "fmt", true),
            ("PLAN --panics --pprof /t/compile a.go", "fmt", true),
            (
                "PLAN --panics /t/compile -goatmark=panics2 a.go",
                "runtime",
                false,
            ),
            ("PLAN --panics /t/link -o x", "fmt", false),
            ("--timings=/log /t/compile a.go", "fmt", false),
            ("--measure=/log /t/compile a.go", "fmt", true),
            ("--measure=/log /t/link -o x", "fmt", false),
            ("--measure=/log --next=time /t/compile a.go", "fmt", false),
            ("PLAN --help", "fmt", false),
            ("PLAN", "fmt", false),
            ("--plan= /t/compile a.go", "fmt", false),
            ("/t/compile a.go", "fmt", false),
        ];
        for (line, import_path, passes_plain) in cases {
            let line = line.replace("PLAN", &flag);
            let args: Vec<&OsStr> = line.split(' ').map(OsStr::new).collect();
            let set = Some(OsStr::new(import_path)).filter(|path| !path.is_empty());
            let passed = passes(&args, set, OsStr::new("/nowhere"));
            assert_eq!(
                passed.is_some(),
                *passes_plain,
                "{line} for {import_path:?}"
            );
            if let Some(passed) = passed {
                assert!(line.contains(&format!("/t/{}", passed.name)));
                assert_eq!(
                    args[passed.tool],
                    OsStr::new(&format!("/t/{}", passed.name))
                );
            }
        }
        Ok(())
    }

    #[test]
    fn vet_sees_files_as_they_are() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        let (config, overlay) = (dir.path().join("vet.cfg"), dir.path().join("overlay.json"));
        let line = format!(
            "--plan=/p --overlay={} /t/vet -atomic {}",
            overlay.display(),
            config.display()
        );
        let passed = |files: &str, replaced: &str| {
            fs::write(&config, format!(r#"{{"GoFiles": [{files}]}}"#))?;
            fs::write(&overlay, format!(r#"{{"Replace": {{{replaced}}}}}"#))?;
            let args: Vec<&OsStr> = line.split(' ').map(OsStr::new).collect();
            Ok::<_, std::io::Error>(
                passes(&args, Some(OsStr::new("fmt")), OsStr::new("")).is_some(),
            )
        };
        let ours = r#""/m/goat_main.go": "/c/goat_main.go""#;
        assert!(passed(r#""/m/a.go""#, ours)?);
        assert!(passed(r#""/m/a.go""#, "")?);
        assert!(!passed(r#""/m/a.go", "/m/goat_main.go""#, ours)?);
        assert!(!passed(r#""/b/a.cgo1.go""#, ours)?);
        assert!(!passed(r#""/m/a.go""#, r#""/m/own.go": "/c/own.go""#)?);
        fs::remove_file(&config)?;
        let args: Vec<&OsStr> = line.split(' ').map(OsStr::new).collect();
        assert_eq!(passes(&args, None, OsStr::new("")), None);
        Ok(())
    }

    #[test]
    fn a_c_compiler_is_looked_for_as_go_does() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        let gcc = dir.path().join("gcc");
        let path = |list: &str| list.replace("DIR", &dir.path().display().to_string());
        let find = |list: &str, line: &str| {
            let args: Vec<&OsStr> = line.split(' ').map(OsStr::new).collect();
            passes(&args, None, OsStr::new(&path(list))).map(|passed| passed.program.into_owned())
        };
        let line = "--plan=/p gcc -### -x c -c -";
        assert_eq!(find("DIR", line), None);
        fs::write(&gcc, "")?;
        assert_eq!(find("/nowhere:DIR", line), Some(gcc.clone()));
        assert_eq!(find(".:DIR", line), None);
        assert_eq!(find("DIR:.", line), Some(gcc));
        assert_eq!(find("DIR", "--plan=/p ./gcc -### -x c -c -"), None);
        assert_eq!(find("DIR", "--plan=/p time gcc -### -x c -c -"), None);
        assert_eq!(find("DIR", "--plan=/p gcc --version"), None);
        assert_eq!(find("DIR", "gcc -### -x c -c -"), None);
        Ok(())
    }

    #[test]
    fn a_plan_that_cannot_be_read_is_left_to_the_helper() -> std::io::Result<()> {
        let plan = tempfile::tempdir()?;
        let hash = short_hash("fmt");
        // A directory in the shard's place is an error other than "not there".
        fs::create_dir_all(plan.path().join(format!("s/{}.json", &hash[..2])))?;
        assert!(!outside(Some(plan.path()), "fmt"));
        assert!(
            outside(Some(&plan.path().join("gone")), "fmt"),
            "as in the helper: no plan, no points"
        );
        Ok(())
    }
}
