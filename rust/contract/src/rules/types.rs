//! Which types of a field read what the other has written.

use crate::schema::{Schema, Type};

/// Types that read each other's bytes; all others read only their own.
const WIRE: [&[&str]; 4] = [
    &["int32", "int64", "uint32", "uint64", "bool"],
    &["sint32", "sint64"],
    &["fixed32", "sfixed32"],
    &["fixed64", "sfixed64"],
];

/// Types that read each other's bytes and JSON.
const JSON: [&[&str]; 4] = [
    &["int32", "uint32"],
    &["int64", "uint64"],
    &["fixed32", "sfixed32"],
    &["fixed64", "sfixed64"],
];

/// What is written with the types of the base is read with those of the release.
pub struct Reader<'a> {
    base: &'a Schema,
    release: &'a Schema,
    alike: &'static [&'static [&'static str]],
    /// Whether bytes read strings.
    bytes_read_strings: bool,
}

impl<'a> Reader<'a> {
    /// Of the binary format.
    pub fn wire(base: &'a Schema, release: &'a Schema) -> Self {
        Self {
            base,
            release,
            alike: &WIRE,
            bytes_read_strings: true,
        }
    }

    /// Of the binary format and of JSON.
    pub fn json(base: &'a Schema, release: &'a Schema) -> Self {
        Self {
            base,
            release,
            alike: &JSON,
            bytes_read_strings: false,
        }
    }

    /// Whether the new type reads the old one.
    pub fn reads(&self, old: &Type, new: &Type) -> bool {
        match (old, new) {
            (Type::Scalar(old), Type::Scalar(new)) => {
                let both = |group: &&&[&str]| group.contains(old) && group.contains(new);
                old == new
                    || self.alike.iter().any(|group| both(&group))
                    || self.bytes_read_strings && *old == "string" && *new == "bytes"
            }
            (Type::Enum(old), Type::Enum(new)) => old == new || self.enum_grows(old, new),
            (Type::Map(old), Type::Map(new)) => {
                self.reads(&old.0, &new.0) && self.reads(&old.1, &new.1)
            }
            _ => old == new,
        }
    }

    /// Whether an enum is the other one, moved, with no value less.
    fn enum_grows(&self, old: &str, new: &str) -> bool {
        let pair = (self.base.enum_type(old), self.release.enum_type(new));
        let (Some(old), Some(new)) = pair else {
            return false;
        };
        old.short() == new.short() && old.names().is_subset(&new.names())
    }
}
