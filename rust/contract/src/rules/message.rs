//! Rules about messages.

use crate::finding::Findings;
use crate::rules::ranges;
use crate::schema::{Cardinality, Message};

/// Compares a message.
pub fn compare(old: &Message, new: &Message, found: &mut Findings<'_>) {
    let name = &new.head.full;
    deleted_fields(old, new, found);
    required_fields(old, new, found);
    for (oneof, place) in &old.oneofs {
        if !new.oneofs.contains_key(oneof) {
            let message = format!("the oneof {oneof:?} is gone");
            found.gone("ONEOF_NO_DELETE", place, name, message);
        }
    }
    ranges::reserved(
        "RESERVED_MESSAGE_NO_DELETE",
        name,
        &old.reserved,
        &new.reserved,
        found,
    );
    let rule = "EXTENSION_MESSAGE_NO_DELETE";
    ranges::numbers(
        rule,
        name,
        "open for extensions",
        &old.extensions,
        &new.extensions,
        found,
    );
    options(old, new, found);
    if old.proto3 && !new.proto3 {
        let message = "JSON is no longer fully supported: proto3 has become proto2".to_owned();
        found.here("MESSAGE_SAME_JSON_FORMAT", &new.head.place, name, message);
    }
}

fn deleted_fields(old: &Message, new: &Message, found: &mut Findings<'_>) {
    for (number, field) in &old.fields {
        if new.fields.contains_key(number) {
            continue;
        }
        let (place, full) = (&field.head.place, &field.head.full);
        let what = format!("field {number} is gone");
        found.gone("FIELD_NO_DELETE", place, full, what.clone());
        if !new.reserved.number(*number) {
            let rule = "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED";
            found.gone(
                rule,
                place,
                full,
                format!("{what} and its number is not reserved"),
            );
        }
        if !new.reserved.names.contains_key(&field.name.value) {
            let rule = "FIELD_NO_DELETE_UNLESS_NAME_RESERVED";
            found.gone(
                rule,
                place,
                full,
                format!("{what} and its name is not reserved"),
            );
        }
    }
}

fn required_fields(old: &Message, new: &Message, found: &mut Findings<'_>) {
    const RULE: &str = "MESSAGE_SAME_REQUIRED_FIELDS";
    let required = |message: &Message, number: &i32| {
        let field = message.fields.get(number);
        field.is_some_and(|field| field.cardinality == Cardinality::Required)
    };
    for (number, field) in &old.fields {
        if required(old, number) && !required(new, number) {
            let message = format!(
                "field {number} was required: those who use the base refuse messages without it"
            );
            found.gone(RULE, &field.head.place, &field.head.full, message);
        }
    }
    for (number, field) in &new.fields {
        if required(new, number) && !required(old, number) {
            let message =
                format!("field {number} is required now: those who use the base do not send it");
            found.here(RULE, &field.head.place, &field.head.full, message);
        }
    }
}

fn options(old: &Message, new: &Message, found: &mut Findings<'_>) {
    let is_set = |message: &Message, option: &str| {
        let spot = message.options.get(option);
        spot.is_some_and(|spot| spot.value == "true")
    };
    let place = |option: &str| {
        let spot = new.options.get(option);
        spot.map_or(&new.head.place, |spot| &spot.place)
    };
    let accessor = "no_standard_descriptor_accessor";
    if !is_set(old, accessor) && is_set(new, accessor) {
        let rule = "MESSAGE_NO_REMOVE_STANDARD_DESCRIPTOR_ACCESSOR";
        let message = format!("{accessor} is set now");
        found.here(rule, place(accessor), &new.head.full, message);
    }
    let set = "message_set_wire_format";
    let (before, after) = (is_set(old, set), is_set(new, set));
    if before != after {
        let rule = "MESSAGE_SAME_MESSAGE_SET_WIRE_FORMAT";
        let message = format!("{set} changed from {before} to {after}");
        found.here(rule, place(set), &new.head.full, message);
    }
}
