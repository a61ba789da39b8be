//! What stands for the types of files that are not at hand and need not be: they count by
//! their names.

use std::collections::{BTreeMap, BTreeSet};

use prost_types::descriptor_proto::ExtensionRange;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto,
};

/// One past the largest number of a field.
const NUMBERS_END: i32 = 1 << 29;

/// The names that some files declare, and what they refer to beyond these.
#[derive(Default)]
pub struct Names {
    known: BTreeSet<String>,
    /// Unknown types by the name that they are taken to have, with the values that
    /// defaults name, which make an enum of it.
    unknown: BTreeMap<String, BTreeSet<String>>,
}

impl Names {
    /// Adds what a file declares.
    pub fn declare(&mut self, file: &FileDescriptorProto) {
        for message in &file.message_type {
            self.declare_message(file.package(), message);
        }
        for one in &file.enum_type {
            self.known.insert(within(file.package(), one.name()));
        }
    }

    fn declare_message(&mut self, scope: &str, message: &DescriptorProto) {
        let full = within(scope, message.name());
        for inner in &message.nested_type {
            self.declare_message(&full, inner);
        }
        for one in &message.enum_type {
            self.known.insert(within(&full, one.name()));
        }
        self.known.insert(full);
    }

    /// Notes what a file refers to and nobody declares.
    pub fn refer(&mut self, file: &FileDescriptorProto) {
        let package = file.package();
        for message in &file.message_type {
            self.refer_message(package, package, message);
        }
        for field in &file.extension {
            self.refer_field(package, package, field);
        }
        for method in file.service.iter().flat_map(|service| &service.method) {
            self.refer_name(package, package, method.input_type());
            self.refer_name(package, package, method.output_type());
        }
    }

    fn refer_message(&mut self, package: &str, scope: &str, message: &DescriptorProto) {
        let full = within(scope, message.name());
        for field in message.field.iter().chain(&message.extension) {
            self.refer_field(package, &full, field);
        }
        for inner in &message.nested_type {
            self.refer_message(package, &full, inner);
        }
    }

    fn refer_field(&mut self, package: &str, scope: &str, field: &FieldDescriptorProto) {
        let name = self.refer_name(package, scope, field.type_name());
        if let (Some(name), Some(value)) = (name, &field.default_value) {
            self.unknown.entry(name).or_default().insert(value.clone());
        }
        self.refer_name(package, scope, field.extendee());
    }

    /// The name that an unknown type is taken to have.
    fn refer_name(&mut self, package: &str, scope: &str, name: &str) -> Option<String> {
        if name.is_empty() || self.is_known(scope, name) {
            return None;
        }
        let plain = name.trim_start_matches('.');
        let full = if plain.contains('.') || name.starts_with('.') {
            plain.to_owned()
        } else {
            within(package, plain)
        };
        self.unknown.entry(full.clone()).or_default();
        Some(full)
    }

    fn is_known(&self, scope: &str, name: &str) -> bool {
        if let Some(full) = name.strip_prefix('.') {
            return self.known.contains(full);
        }
        let mut scope = scope;
        loop {
            if self.known.contains(&within(scope, name)) {
                return true;
            }
            if scope.is_empty() {
                return false;
            }
            scope = scope.rsplit_once('.').map_or("", |(outer, _)| outer);
        }
    }

    /// One file per unknown type that stands in no other.
    pub fn files(&self) -> Vec<FileDescriptorProto> {
        let mut files: Vec<FileDescriptorProto> = Vec::new();
        for (full, values) in &self.unknown {
            let outer = files.iter_mut().find(|file| {
                let outer = within(
                    file.package(),
                    file.message_type.first().map_or("", |m| m.name()),
                );
                full.strip_prefix(&outer)
                    .is_some_and(|rest| rest.starts_with('.'))
            });
            match outer {
                Some(file) => nest(file, full, values),
                None => files.push(file(full, values)),
            }
        }
        files
    }
}

fn within(scope: &str, name: &str) -> String {
    if scope.is_empty() {
        name.to_owned()
    } else {
        format!("{scope}.{name}")
    }
}

fn file(full: &str, values: &BTreeSet<String>) -> FileDescriptorProto {
    let (package, name) = full.rsplit_once('.').unwrap_or(("", full));
    let mut file = FileDescriptorProto {
        name: Some(format!("{full} (absent)")),
        package: (!package.is_empty()).then(|| package.to_owned()),
        ..FileDescriptorProto::default()
    };
    if values.is_empty() {
        file.message_type.push(message(name));
    } else {
        file.enum_type.push(enumeration(name, values));
    }
    file
}

/// Puts a type into the message that it stands in.
fn nest(file: &mut FileDescriptorProto, full: &str, values: &BTreeSet<String>) {
    let inner = full[file.package().len()..]
        .trim_start_matches('.')
        .to_owned();
    let mut parts: Vec<&str> = inner.split('.').collect();
    let last = parts.pop().unwrap_or_default();
    let mut level = &mut file.message_type;
    for (depth, part) in parts.iter().enumerate() {
        let at = level
            .iter()
            .position(|m| m.name() == *part)
            .unwrap_or_else(|| {
                level.push(message(part));
                level.len() - 1
            });
        if depth + 1 == parts.len() && !values.is_empty() {
            level[at].enum_type.push(enumeration(last, values));
            return;
        }
        level = &mut level[at].nested_type;
    }
    if level.iter().all(|m| m.name() != last) {
        level.push(message(last));
    }
}

fn message(name: &str) -> DescriptorProto {
    DescriptorProto {
        name: Some(name.to_owned()),
        extension_range: vec![ExtensionRange {
            start: Some(1),
            end: Some(NUMBERS_END),
            options: None,
        }],
        ..DescriptorProto::default()
    }
}

fn enumeration(name: &str, values: &BTreeSet<String>) -> EnumDescriptorProto {
    let value = |(number, name): (i32, &String)| EnumValueDescriptorProto {
        name: Some(name.clone()),
        number: Some(number),
        options: None,
    };
    EnumDescriptorProto {
        name: Some(name.to_owned()),
        value: (0..).zip(values).map(value).collect(),
        ..EnumDescriptorProto::default()
    }
}
