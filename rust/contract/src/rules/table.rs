//! The list of the rules, and which of them settings ask for.

use crate::error::{Error, Result};

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// The name, as buf's.
    pub name: &'static str,
    groups: u8,
}

const FILE: u8 = 1;
const PACKAGE: u8 = 2;
const WIRE_JSON: u8 = 4;
const WIRE: u8 = 8;
const CSR: u8 = 16;

const GROUPS: [(&str, u8); 5] = [
    ("FILE", FILE),
    ("PACKAGE", PACKAGE),
    ("WIRE_JSON", WIRE_JSON),
    ("WIRE", WIRE),
    ("CSR", CSR),
];

/// Those that break generated code.
const CODE: u8 = FILE | PACKAGE;
/// Those that break readers of JSON, too.
const JSON: u8 = CODE | WIRE_JSON | CSR;
/// Those that break everybody.
const ALL: u8 = JSON | WIRE;

/// Names that rules had, with those that replace them.
const RENAMED: [(&str, &[&str]); 3] = [
    ("FIELD_SAME_CTYPE", &["FIELD_SAME_CPP_STRING_TYPE"]),
    (
        "FIELD_SAME_LABEL",
        &[
            "FIELD_SAME_CARDINALITY",
            "FIELD_WIRE_COMPATIBLE_CARDINALITY",
            "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY",
        ],
    ),
    (
        "FILE_SAME_JAVA_STRING_CHECK_UTF8",
        &["FIELD_SAME_JAVA_UTF8_VALIDATION"],
    ),
];

const fn rule(name: &'static str, groups: u8) -> Rule {
    Rule { name, groups }
}

/// Every rule.
pub static RULES: [Rule; 65] = [
    rule("ENUM_NO_DELETE", FILE | CSR),
    rule("EXTENSION_NO_DELETE", FILE),
    rule("FILE_NO_DELETE", FILE | CSR),
    rule("MESSAGE_NO_DELETE", FILE | CSR),
    rule("SERVICE_NO_DELETE", FILE),
    rule("ENUM_SAME_TYPE", CODE),
    rule("ENUM_VALUE_NO_DELETE", CODE | CSR),
    rule("EXTENSION_MESSAGE_NO_DELETE", CODE | CSR),
    rule("FIELD_NO_DELETE", CODE | CSR),
    rule("FIELD_SAME_CARDINALITY", CODE),
    rule("FIELD_SAME_CPP_STRING_TYPE", CODE),
    rule("FIELD_SAME_JAVA_UTF8_VALIDATION", CODE),
    rule("FIELD_SAME_JSTYPE", CODE),
    rule("FIELD_SAME_TYPE", CODE | CSR),
    rule("FIELD_SAME_UTF8_VALIDATION", CODE),
    rule("FILE_SAME_CC_ENABLE_ARENAS", CODE),
    rule("FILE_SAME_CC_GENERIC_SERVICES", CODE),
    rule("FILE_SAME_CSHARP_NAMESPACE", CODE),
    rule("FILE_SAME_GO_PACKAGE", CODE),
    rule("FILE_SAME_JAVA_GENERIC_SERVICES", CODE),
    rule("FILE_SAME_JAVA_MULTIPLE_FILES", CODE),
    rule("FILE_SAME_JAVA_OUTER_CLASSNAME", CODE),
    rule("FILE_SAME_JAVA_PACKAGE", CODE),
    rule("FILE_SAME_OBJC_CLASS_PREFIX", CODE),
    rule("FILE_SAME_OPTIMIZE_FOR", CODE),
    rule("FILE_SAME_PHP_CLASS_PREFIX", CODE),
    rule("FILE_SAME_PHP_METADATA_NAMESPACE", CODE),
    rule("FILE_SAME_PHP_NAMESPACE", CODE),
    rule("FILE_SAME_PY_GENERIC_SERVICES", CODE),
    rule("FILE_SAME_RUBY_PACKAGE", CODE),
    rule("FILE_SAME_SWIFT_PREFIX", CODE),
    rule("FILE_SAME_SYNTAX", CODE | CSR),
    rule("MESSAGE_NO_REMOVE_STANDARD_DESCRIPTOR_ACCESSOR", CODE | CSR),
    rule("ONEOF_NO_DELETE", CODE | CSR),
    rule("RPC_NO_DELETE", CODE),
    rule("ENUM_SAME_JSON_FORMAT", JSON),
    rule("ENUM_VALUE_SAME_NAME", JSON),
    rule("FIELD_SAME_JSON_NAME", JSON),
    rule("FIELD_SAME_NAME", JSON),
    rule("MESSAGE_SAME_JSON_FORMAT", JSON),
    rule("FIELD_SAME_DEFAULT", ALL),
    rule("FIELD_SAME_ONEOF", ALL),
    rule("FILE_SAME_PACKAGE", ALL),
    rule("MESSAGE_SAME_REQUIRED_FIELDS", ALL),
    rule("RESERVED_ENUM_NO_DELETE", ALL),
    rule("RESERVED_MESSAGE_NO_DELETE", ALL),
    rule("RPC_SAME_CLIENT_STREAMING", ALL),
    rule("RPC_SAME_IDEMPOTENCY_LEVEL", ALL),
    rule("RPC_SAME_REQUEST_TYPE", ALL),
    rule("RPC_SAME_RESPONSE_TYPE", ALL),
    rule("RPC_SAME_SERVER_STREAMING", ALL),
    rule("PACKAGE_ENUM_NO_DELETE", PACKAGE),
    rule("PACKAGE_EXTENSION_NO_DELETE", PACKAGE),
    rule("PACKAGE_MESSAGE_NO_DELETE", PACKAGE),
    rule("PACKAGE_NO_DELETE", PACKAGE),
    rule("PACKAGE_SERVICE_NO_DELETE", PACKAGE),
    rule("ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED", WIRE_JSON | CSR),
    rule("FIELD_NO_DELETE_UNLESS_NAME_RESERVED", WIRE_JSON | CSR),
    rule("FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY", WIRE_JSON | CSR),
    rule("FIELD_WIRE_JSON_COMPATIBLE_TYPE", WIRE_JSON | CSR),
    rule(
        "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
        WIRE_JSON | WIRE | CSR,
    ),
    rule(
        "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED",
        WIRE_JSON | WIRE | CSR,
    ),
    rule("FIELD_WIRE_COMPATIBLE_CARDINALITY", WIRE),
    rule("FIELD_WIRE_COMPATIBLE_TYPE", WIRE),
    rule("MESSAGE_SAME_MESSAGE_SET_WIRE_FORMAT", 0),
];

impl Rule {
    /// goat's id: `FIELD_SAME_TYPE` is `protobuf.field.same-type`.
    pub fn id(&self) -> String {
        let verbs = ["_NO_", "_SAME_", "_WIRE_"];
        let at = verbs.iter().filter_map(|verb| self.name.find(verb)).min();
        let (what, rest) = self.name.split_at(at.unwrap_or(self.name.len()));
        let word = |text: &str| text.trim_matches('_').to_lowercase().replace('_', "-");
        format!("protobuf.{}.{}", word(what), word(rest))
    }
}

/// The rules of groups, and single ones, by name.
pub fn select(names: &[String]) -> Result<Vec<&'static Rule>> {
    let mut wanted: Vec<&str> = Vec::new();
    let mut groups = 0;
    for name in names {
        let upper = name.to_uppercase();
        if let Some((_, bit)) = GROUPS.iter().find(|(group, _)| *group == upper) {
            groups |= bit;
        } else if let Some((_, new)) = RENAMED.iter().find(|(old, _)| *old == upper) {
            wanted.extend(*new);
        } else if let Some(rule) = RULES.iter().find(|rule| rule.name == upper) {
            wanted.push(rule.name);
        } else {
            let what = format!("{name:?} is neither a group of rules nor a rule");
            return Err(Error::new("bad_request", what).hint(
                "the groups are FILE, PACKAGE, WIRE_JSON, WIRE and CSR; docs/check.md lists the rules",
            ));
        }
    }
    let asked = |rule: &&Rule| rule.groups & groups != 0 || wanted.contains(&rule.name);
    Ok(RULES.iter().filter(asked).collect())
}
