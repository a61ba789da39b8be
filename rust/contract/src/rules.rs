//! The rules: what a release may not do to those who use the base. Each is named and
//! grouped as buf's rule of that name; the wording is goat's own.

mod enums;
mod field;
mod file;
mod message;
mod package;
mod ranges;
mod service;
pub mod table;
mod types;

use crate::finding::Findings;
use crate::schema::Schema;

/// Holds the release against the base by all rules.
pub fn compare(base: &Schema, release: &Schema, found: &mut Findings<'_>) {
    file::compare(base, release, found);
    package::compare(base, release, found);
    for (name, old) in &base.messages {
        if let Some(new) = release.messages.get(name) {
            message::compare(old, new, found);
            for (number, old) in &old.fields {
                if let Some(new) = new.fields.get(number) {
                    field::compare((base, release), old, new, found);
                }
            }
        }
    }
    for (key, old) in &base.extensions {
        if let Some(new) = release.extensions.get(key) {
            field::compare((base, release), old, new, found);
        }
    }
    for (name, old) in &base.enums {
        if let Some(new) = release.enums.get(name) {
            enums::compare(old, new, found);
        }
    }
    for (name, old) in &base.services {
        if let Some(new) = release.services.get(name) {
            service::compare(old, new, found);
        }
    }
}
