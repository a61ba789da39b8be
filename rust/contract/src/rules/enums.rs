//! Rules about enums.

use std::collections::BTreeMap;

use crate::finding::Findings;
use crate::rules::ranges;
use crate::schema::{Enum, Place};

/// Compares an enum.
pub fn compare(old: &Enum, new: &Enum, found: &mut Findings<'_>) {
    let name = &new.head.full;
    for (number, names) in &old.values {
        match new.values.get(number) {
            None => deleted(*number, names, new, found),
            Some(now) => renamed(*number, names, now, name, found),
        }
    }
    ranges::reserved(
        "RESERVED_ENUM_NO_DELETE",
        name,
        &old.reserved,
        &new.reserved,
        found,
    );
    if old.closed != new.closed {
        let words = |closed| if closed { "closed" } else { "open" };
        let message = format!(
            "changed from {} to {}",
            words(old.closed),
            words(new.closed)
        );
        found.here("ENUM_SAME_TYPE", &new.head.place, name, message);
    }
    if !old.closed && new.closed {
        let message = "JSON is no longer fully supported: proto3 has become proto2".to_owned();
        found.here("ENUM_SAME_JSON_FORMAT", &new.head.place, name, message);
    }
}

type Names = BTreeMap<String, Place>;

fn deleted(number: i32, names: &Names, new: &Enum, found: &mut Findings<'_>) {
    let Some((_, place)) = names.first_key_value() else {
        return;
    };
    let full = &new.head.full;
    let what = format!("value {number} ({}) is gone", listed(names));
    found.gone("ENUM_VALUE_NO_DELETE", place, full, what.clone());
    if !new.reserved.number(number) {
        let rule = "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED";
        found.gone(
            rule,
            place,
            full,
            format!("{what} and its number is not reserved"),
        );
    }
    if !names
        .keys()
        .all(|name| new.reserved.names.contains_key(name))
    {
        let rule = "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED";
        found.gone(
            rule,
            place,
            full,
            format!("{what} and its name is not reserved"),
        );
    }
}

/// A value may get further names, and lose none.
fn renamed(number: i32, old: &Names, new: &Names, full: &str, found: &mut Findings<'_>) {
    if old.keys().all(|name| new.contains_key(name)) {
        return;
    }
    let Some((_, place)) = new.first_key_value() else {
        return;
    };
    let message = format!(
        "value {number} changed its name from {} to {}",
        listed(old),
        listed(new)
    );
    found.here("ENUM_VALUE_SAME_NAME", place, full, message);
}

fn listed(names: &Names) -> String {
    let names: Vec<&str> = names.keys().map(String::as_str).collect();
    names.join(", ")
}
