//! Under which build constraints the go command compiles files.

use super::read_header;

/// The expression under which at least one of a directory's files is compiled, in the
/// syntax of `//go:build`; `None` where one always is.
pub fn either<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    for (name, source) in files {
        let one = constraint(name, source)?;
        if !all.contains(&one) {
            all.push(one);
        }
    }
    (!all.is_empty()).then(|| all.join(" || "))
}

/// What a file's name and its build lines ask for, for people; empty where every build
/// takes the file.
#[must_use]
pub fn asked(path: &str, source: &[u8]) -> String {
    let mut all = of_name(base(path));
    all.extend(of_lines(source));
    joined(&all)
}

/// The expression under which builds take a file, in the syntax of `//go:build`: its name,
/// its build lines and an import of "C" decide; empty where every build does.
#[must_use]
pub fn taken_by(path: &str, source: &[u8]) -> String {
    joined(&parts(base(path), source))
}

/// All parts of an expression as one.
fn joined(parts: &[String]) -> String {
    match parts {
        // The parentheses that make it part of another expression.
        [one] => {
            let inner = one.strip_prefix('(').and_then(|one| one.strip_suffix(')'));
            inner.unwrap_or(one).to_owned()
        }
        _ => parts.join(" && "),
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What a file's name, its build lines and an import of "C" ask for.
pub(super) fn constraint(name: &str, source: &[u8]) -> Option<String> {
    let all = parts(name, source);
    (!all.is_empty()).then(|| format!("({})", all.join(" && ")))
}

fn parts(name: &str, source: &[u8]) -> Vec<String> {
    let mut all = of_name(name);
    all.extend(of_lines(source));
    if imports_c(source) {
        all.push("cgo".into());
    }
    all
}

/// Whether a file imports "C". Most do not even hold the text, wherever it may stand.
fn imports_c(source: &[u8]) -> bool {
    let holds = |text: &[u8]| memchr::memmem::find(source, text).is_some();
    let may = holds(b"\"C\"") || holds(b"`C`");
    may && read_header(source).imports.iter().any(|path| path == "C")
}

/// `x_GOOS.go`, `x_GOARCH.go` and `x_GOOS_GOARCH.go`.
fn of_name(name: &str) -> Vec<String> {
    let stem = name.strip_suffix(".go").unwrap_or(name);
    let words: Vec<&str> = stem.split('_').skip(1).collect();
    let found: &[&str] = match words.as_slice() {
        [.., os, arch] if SYSTEMS.contains(os) && MACHINES.contains(arch) => {
            &words[words.len() - 2..]
        }
        [.., last] if SYSTEMS.contains(last) || MACHINES.contains(last) => {
            &words[words.len() - 1..]
        }
        _ => &[],
    };
    found.iter().map(|word| (*word).to_owned()).collect()
}

/// The `//go:build` line above the package clause, or where there is none the
/// `// +build` lines.
fn of_lines(source: &[u8]) -> Vec<String> {
    let mut plus = Vec::new();
    // Line by line: the package clause mostly stands near the top of a long file.
    for line in source.split(|&byte| byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.starts_with("package ") {
            break;
        }
        if let Some(expression) = line.strip_prefix("//go:build ") {
            return vec![format!("({})", expression.trim())];
        }
        let comment = line.strip_prefix("//").map(str::trim);
        if let Some(options) = comment.and_then(|text| text.strip_prefix("+build ")) {
            let options = options.split_whitespace();
            let options: Vec<String> = options.map(|all| all.replace(',', " && ")).collect();
            plus.push(format!("({})", options.join(" || ")));
        }
    }
    plus
}

/// Whether a word of a constraint is one that the system or the toolchain decides about.
pub(super) fn is_known(word: &str) -> bool {
    let toolchain = matches!(
        word,
        "cgo" | "gc" | "gccgo" | "unix" | "race" | "msan" | "asan"
    );
    let release = word
        .strip_prefix("go1")
        .is_some_and(|rest| rest.starts_with('.'));
    let setting = word.starts_with("goexperiment.") || word.contains('.');
    toolchain || release || setting || SYSTEMS.contains(&word) || MACHINES.contains(&word)
}

/// The words that go reads in file names; one that is missing here only leaves a hook
/// unconstrained.
const SYSTEMS: &[&str] = &[
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "wasip1",
    "windows",
    "zos",
];

const MACHINES: &[&str] = &[
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "armbe",
    "arm64",
    "arm64be",
    "loong64",
    "mips",
    "mipsle",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];

#[cfg(test)]
mod tests {
    use super::either;

    fn of(files: &[(&str, &str)]) -> Option<String> {
        either(files.iter().map(|(name, text)| (*name, text.as_bytes())))
    }

    #[test]
    fn one_file_without_a_constraint_is_enough() {
        let windows = ("a_windows.go", "package main\n");
        assert_eq!(of(&[windows]).as_deref(), Some("(windows)"));
        assert_eq!(of(&[windows, ("b.go", "package main\n")]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn names_lines_and_cgo_count() {
        for (name, text, want) in [
            ("a_linux_arm64.go", "package a\n", "(linux && arm64)"),
            ("linux.go", "package a\n", ""),
            ("a_x_linux.go", "package a\n", "(linux)"),
            ("a.go", "//go:build a || b\n\npackage a\n", "((a || b))"),
            (
                "a_js.go",
                "//go:build !a\n\npackage a\n\nimport \"C\"\n",
                "(js && (!a) && cgo)",
            ),
            (
                "a.go",
                "// +build a,b !c\n// +build d\n\npackage a\n",
                "((a && b || !c) && (d))",
            ),
            ("a.go", "package a\n\n//go:build b\n", ""),
            ("a.go", "package a\n\nimport `C`\n", "(cgo)"),
            ("a.go", "package a\n\nvar c = \"C\"\n", ""),
            ("a.go", "\r\n//go:build b\r\n\r\npackage a\r\n", "((b))"),
        ] {
            assert_eq!(
                of(&[(name, text)]).unwrap_or_default(),
                want,
                "{name} {text}"
            );
        }
        let both = [
            ("a_linux.go", "package a\n"),
            ("b_linux.go", "package a\n"),
            ("c_js.go", "package a\n"),
        ];
        assert_eq!(of(&both).as_deref(), Some("(linux) || (js)"));
    }
}
