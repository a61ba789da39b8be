//! Rules about packages: what they hold may move between their files.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Findings;
use crate::schema::{Head, Schema};

/// Compares packages of one name.
pub fn compare(base: &Schema, release: &Schema, found: &mut Findings<'_>) {
    let packages: BTreeSet<&str> = release
        .files
        .values()
        .map(|f| f.package.value.as_str())
        .collect();
    let mut lost = BTreeMap::new();
    for file in base.files.values() {
        if !packages.contains(file.package.value.as_str()) {
            lost.entry(&file.package.value)
                .or_insert(&file.package.place);
        }
    }
    for (name, place) in lost {
        let message = "no file is of this package any more".to_owned();
        found.gone("PACKAGE_NO_DELETE", place, name, message);
    }
    let mut gone = |rule, what, old: &Head, kept: bool| {
        if !kept && packages.contains(old.package.as_str()) {
            let message = format!("the {what} is gone from its package");
            found.gone(rule, &old.place, &old.full, message);
        }
    };
    for (name, old) in &base.messages {
        let kept = release.messages.contains_key(name);
        gone("PACKAGE_MESSAGE_NO_DELETE", "message", &old.head, kept);
    }
    for (name, old) in &base.enums {
        let kept = release.enums.contains_key(name);
        gone("PACKAGE_ENUM_NO_DELETE", "enum", &old.head, kept);
    }
    for (name, old) in &base.services {
        let kept = release.services.contains_key(name);
        gone("PACKAGE_SERVICE_NO_DELETE", "service", &old.head, kept);
    }
    let extensions = release
        .extensions
        .values()
        .map(|new| new.head.full.as_str());
    let extensions: BTreeSet<&str> = extensions.collect();
    for old in base.extensions.values() {
        let kept = extensions.contains(old.head.full.as_str());
        gone("PACKAGE_EXTENSION_NO_DELETE", "extension", &old.head, kept);
    }
}
