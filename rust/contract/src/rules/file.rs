//! Rules about files and what stands in them.

use crate::finding::Findings;
use crate::schema::{File, Head, Schema, Spot};

/// Options of files, with the rule that holds them, and their value where nothing is set.
const OPTIONS: [(&str, &str, &str); 16] = [
    ("cc_enable_arenas", "FILE_SAME_CC_ENABLE_ARENAS", "true"),
    (
        "cc_generic_services",
        "FILE_SAME_CC_GENERIC_SERVICES",
        "false",
    ),
    ("csharp_namespace", "FILE_SAME_CSHARP_NAMESPACE", ""),
    ("go_package", "FILE_SAME_GO_PACKAGE", ""),
    (
        "java_generic_services",
        "FILE_SAME_JAVA_GENERIC_SERVICES",
        "false",
    ),
    (
        "java_multiple_files",
        "FILE_SAME_JAVA_MULTIPLE_FILES",
        "false",
    ),
    ("java_outer_classname", "FILE_SAME_JAVA_OUTER_CLASSNAME", ""),
    ("java_package", "FILE_SAME_JAVA_PACKAGE", ""),
    ("objc_class_prefix", "FILE_SAME_OBJC_CLASS_PREFIX", ""),
    ("optimize_for", "FILE_SAME_OPTIMIZE_FOR", "SPEED"),
    ("php_class_prefix", "FILE_SAME_PHP_CLASS_PREFIX", ""),
    (
        "php_metadata_namespace",
        "FILE_SAME_PHP_METADATA_NAMESPACE",
        "",
    ),
    ("php_namespace", "FILE_SAME_PHP_NAMESPACE", ""),
    (
        "py_generic_services",
        "FILE_SAME_PY_GENERIC_SERVICES",
        "false",
    ),
    ("ruby_package", "FILE_SAME_RUBY_PACKAGE", ""),
    ("swift_prefix", "FILE_SAME_SWIFT_PREFIX", ""),
];

/// Compares files of one name.
pub fn compare(base: &Schema, release: &Schema, found: &mut Findings<'_>) {
    for (name, old) in &base.files {
        let Some(new) = release.files.get(name) else {
            found.gone(
                "FILE_NO_DELETE",
                &old.place,
                name,
                "the file is gone".to_owned(),
            );
            continue;
        };
        same(
            "FILE_SAME_PACKAGE",
            name,
            "package",
            &old.package,
            &new.package,
            found,
        );
        same(
            "FILE_SAME_SYNTAX",
            name,
            "syntax",
            &old.syntax,
            &new.syntax,
            found,
        );
        for (option, rule, unset) in OPTIONS {
            let value = |file: &File| {
                let written = file.options.get(option).cloned();
                written.unwrap_or_else(|| Spot {
                    value: unset.to_owned(),
                    place: file.syntax.place.clone(),
                })
            };
            same(rule, name, option, &value(old), &value(new), found);
        }
    }
    let still = |head: &Head| release.files.contains_key(&head.file);
    for (name, old) in &base.messages {
        let moved = release
            .messages
            .get(name)
            .is_none_or(|new| new.head.file != old.head.file);
        if moved && still(&old.head) {
            gone("MESSAGE_NO_DELETE", "message", &old.head, found);
        }
    }
    for (name, old) in &base.enums {
        let moved = release
            .enums
            .get(name)
            .is_none_or(|new| new.head.file != old.head.file);
        if moved && still(&old.head) {
            gone("ENUM_NO_DELETE", "enum", &old.head, found);
        }
    }
    for (name, old) in &base.services {
        let moved = release
            .services
            .get(name)
            .is_none_or(|new| new.head.file != old.head.file);
        if moved && still(&old.head) {
            gone("SERVICE_NO_DELETE", "service", &old.head, found);
        }
    }
    for old in base.extensions.values() {
        let kept = |head: &Head| head.file == old.head.file && head.nested() == old.head.nested();
        if !release.extensions.values().any(|new| kept(&new.head)) && still(&old.head) {
            gone("EXTENSION_NO_DELETE", "extension", &old.head, found);
        }
    }
}

fn gone(rule: &str, what: &str, head: &Head, found: &mut Findings<'_>) {
    let message = format!("the {what} is gone from its file");
    found.gone(rule, &head.place, &head.full, message);
}

fn same(
    rule: &str,
    file: &str,
    what: &str,
    old: &Spot<String>,
    new: &Spot<String>,
    found: &mut Findings<'_>,
) {
    if old.value != new.value {
        let message = format!("{what} changed from {:?} to {:?}", old.value, new.value);
        found.here(rule, &new.place, file, message);
    }
}
