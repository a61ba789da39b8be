//! What a panic is: the type of its value as far as a text tells, and whether it is a
//! defect.

use crate::names::Function;

/// Whose business a panic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Somebody's mistake.
    Defect,
    /// A server is told to drop a request: `http.ErrAbortHandler`.
    Abort,
    /// The standard library returns from its own recursion by it, and recovers it.
    Flow,
}

impl Class {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Defect => "defect",
            Self::Abort => "abort",
            Self::Flow => "flow",
        }
    }
}

/// Messages of the runtime without its prefix, and the type behind them.
const PLAIN: &[&str] = &[
    "assignment to entry in nil map",
    "close of nil channel",
    "close of closed channel",
    "send on closed channel",
    "makechan: size out of range",
];

/// Packages that recover panics of their own, each with the types of the values that it
/// throws where it also throws others.
const FLOW: &[(&str, &[&str])] = &[
    ("compress/bzip2", &[]),
    ("encoding/gob", &["gob.gobError"]),
    ("encoding/json", &["json.jsonError", "json.decodeError"]),
    ("fmt", &["fmt.scanError"]),
    ("go/parser", &["parser.bailout"]),
    ("go/types", &[]),
    ("go/printer", &[]),
    ("html/template", &[]),
    ("internal/zstd", &[]),
    ("log/slog", &[]),
    ("math/big", &["big.ErrNaN"]),
    ("net/http", &["http.http2goAwayFlowError"]),
    ("regexp/syntax", &[]),
    ("text/tabwriter", &["tabwriter.osError"]),
    ("text/template", &[]),
    ("text/template/parse", &[]),
];

/// The text of `http.ErrAbortHandler`.
const ABORT: &str = "net/http: abort Handler";

/// The type of a value, from how the runtime prints it; empty where that does not tell.
pub fn type_of(message: &str) -> String {
    if let Some(text) = message.strip_prefix("runtime error: ") {
        let bounds = ["index out of range", "slice bounds out of range"];
        let array = "cannot convert slice with length ";
        return if bounds.iter().any(|b| text.starts_with(b)) || text.starts_with(array) {
            "runtime.boundsError"
        } else if text.starts_with("panic called with nil argument") {
            "*runtime.PanicNilError"
        } else {
            "runtime.errorString"
        }
        .to_owned();
    }
    if message.starts_with("panic called with nil argument") {
        return "*runtime.PanicNilError".to_owned();
    }
    if message.starts_with("interface conversion: ") {
        return "*runtime.TypeAssertionError".to_owned();
    }
    if PLAIN.contains(&message) {
        return "runtime.plainError".to_owned();
    }
    printed(message).unwrap_or_default().to_owned()
}

/// `(main.T) {…}`, `(*main.T) 0xc…`, `main.S("x")`, `main.N(3)`.
fn printed(message: &str) -> Option<&str> {
    if let Some(inner) = message.strip_prefix('(') {
        let (name, value) = inner.split_once(") ")?;
        let value = value.starts_with("0x") || value.starts_with('{') || value.starts_with('(');
        return (value && is_type(name)).then_some(name);
    }
    let inner = message.strip_suffix(')')?;
    let (name, value) = inner.split_once('(')?;
    let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
    let number = value.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '('));
    let plain = quoted || number || value == "true" || value == "false";
    (plain && name.contains('.') && is_type(name)).then_some(name)
}

fn is_type(name: &str) -> bool {
    let name = name.trim_start_matches('*');
    let odd = |c: char| c.is_whitespace() || matches!(c, '"' | '(' | ')' | ':' | '=');
    !name.is_empty() && !name.contains(odd)
}

/// Types that differ only in how much the runtime could say are one.
pub fn canonical(type_name: &str) -> &str {
    match type_name {
        "runtime.errorAddressString" | "runtime.runtimeError" => "runtime.errorString",
        other => other,
    }
}

/// Whether a panic is a defect; `thrower` is the first function outside of the runtime.
pub fn class(type_name: &str, message: &str, thrower: Option<&Function>) -> Class {
    if message == ABORT {
        return Class::Abort;
    }
    let Some(thrower) = thrower.filter(|f| f.standard && !type_name.contains("runtime.")) else {
        return Class::Defect;
    };
    if thrower.declaration.starts_with("Must") {
        return Class::Defect;
    }
    let known = FLOW.iter().find(|(package, _)| *package == thrower.package);
    match known {
        Some((_, [])) => Class::Flow,
        Some((_, types)) if types.contains(&type_name) || type_name.is_empty() => Class::Flow,
        _ => Class::Defect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::facts;

    #[test]
    fn types() {
        for (message, want) in [
            (
                "runtime error: index out of range [5] with length 3",
                "runtime.boundsError",
            ),
            (
                "runtime error: integer divide by zero",
                "runtime.errorString",
            ),
            ("assignment to entry in nil map", "runtime.plainError"),
            (
                "interface conversion: interface {} is string, not int",
                "*runtime.TypeAssertionError",
            ),
            ("main.S(\"x (y)\")", "main.S"),
            ("main.N(-3)", "main.N"),
            ("(main.T) {A:1}", "main.T"),
            ("(*main.T) 0xc000012345", "*main.T"),
            ("out of luck", ""),
            ("cannot open file (no such file)", ""),
            ("open x.txt(2)", ""),
            (
                "runtime error: panic called with nil argument (use GODEBUG=panicnil=1 to disable)",
                "*runtime.PanicNilError",
            ),
        ] {
            assert_eq!(type_of(message), want, "{message}");
        }
    }

    #[test]
    fn classes() {
        for (type_name, message, thrower, want) in [
            (
                "*errors.errorString",
                "net/http: abort Handler",
                "main.f",
                Class::Abort,
            ),
            ("gob.gobError", "x", "encoding/gob.error_", Class::Flow),
            ("string", "x", "encoding/gob.Register", Class::Defect),
            (
                "*errors.errorString",
                "x",
                "text/template/parse.(*Tree).errorf",
                Class::Flow,
            ),
            (
                "runtime.errorString",
                "x",
                "text/template/parse.(*Tree).errorf",
                Class::Defect,
            ),
            (
                "*errors.errorString",
                "x",
                "text/template.Must",
                Class::Defect,
            ),
            (
                "string",
                "sync: negative WaitGroup counter",
                "sync.(*WaitGroup).Add",
                Class::Defect,
            ),
            ("string", "x", "main.f", Class::Defect),
        ] {
            let thrower = facts(thrower.as_bytes());
            assert_eq!(class(type_name, message, Some(&thrower)), want, "{message}");
        }
    }
}
