//! Compiled files as values: what they declare, with the place of each thing.

use std::collections::{BTreeMap, HashMap};

use prost_types::field_descriptor_proto::{Label, Type as Wire};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    MessageOptions, ServiceDescriptorProto, UninterpretedOption,
};

use crate::compile::Unit;
use crate::options;
use crate::schema::{
    Cardinality, Enum, Field, File, Head, Message, Method, Options, Place, Reserved, Schema,
    Service, Spot, Type, Unset,
};

/// Number of the list of options in every options message.
const UNINTERPRETED: i32 = 999;

/// Describes a side.
pub fn describe(units: &[Unit]) -> Schema {
    let mut schema = Schema::default();
    let mut firsts = HashMap::new();
    for unit in units {
        enum_firsts(unit, &mut firsts);
    }
    for unit in units {
        Walk::new(unit, &firsts).file(&mut schema);
    }
    schema
}

/// The first value of every enum, which is that of a field that is not set, with all
/// values by name.
type EnumValues = HashMap<String, (i32, HashMap<String, i32>)>;

fn enum_firsts(unit: &Unit, firsts: &mut EnumValues) {
    fn all(scope: &str, enums: &[EnumDescriptorProto], firsts: &mut EnumValues) {
        for one in enums {
            let values = one.value.iter().map(|v| (v.name().to_owned(), v.number()));
            let first = one
                .value
                .first()
                .map_or(0, EnumValueDescriptorProto::number);
            firsts.insert(within(scope, one.name()), (first, values.collect()));
        }
    }
    fn messages(scope: &str, list: &[DescriptorProto], firsts: &mut EnumValues) {
        for message in list {
            let full = within(scope, message.name());
            all(&full, &message.enum_type, firsts);
            messages(&full, &message.nested_type, firsts);
        }
    }
    let file = &unit.linked;
    all(file.package(), &file.enum_type, firsts);
    messages(file.package(), &file.message_type, firsts);
}

fn within(scope: &str, name: &str) -> String {
    if scope.is_empty() {
        name.to_owned()
    } else {
        format!("{scope}.{name}")
    }
}

fn index(at: usize) -> i32 {
    i32::try_from(at).unwrap_or(i32::MAX)
}

/// A way through one file.
struct Walk<'a> {
    unit: &'a Unit,
    places: HashMap<&'a [i32], (u32, u32)>,
    firsts: &'a EnumValues,
    java_utf8: bool,
}

/// An element on the way: its full scope, and its path in the descriptor.
#[derive(Clone)]
struct At {
    scope: String,
    path: Vec<i32>,
}

impl At {
    fn child(&self, name: &str, path: &[i32]) -> Self {
        Self {
            scope: within(&self.scope, name),
            path: [&self.path, path].concat(),
        }
    }
}

impl<'a> Walk<'a> {
    fn new(unit: &'a Unit, firsts: &'a EnumValues) -> Self {
        let mut places = HashMap::new();
        let locations = unit.raw.source_code_info.iter().flat_map(|i| &i.location);
        for location in locations {
            let number = |at: usize| {
                let value = location.span.get(at).copied().unwrap_or(0);
                u32::try_from(value).unwrap_or(0) + 1
            };
            places
                .entry(location.path.as_slice())
                .or_insert((number(0), number(1)));
        }
        let options = unit.raw.options.iter();
        let list: Vec<_> = options
            .flat_map(|o| &o.uninterpreted_option)
            .cloned()
            .collect();
        Self {
            unit,
            places,
            firsts,
            java_utf8: options::is_true(&list, "java_string_check_utf8"),
        }
    }

    fn proto3(&self) -> bool {
        self.unit.raw.syntax() == "proto3"
    }

    /// The place of a path, or else of the nearest that holds it.
    fn place(&self, path: &[i32]) -> Place {
        let mut path = path;
        let (line, column) = loop {
            if let Some(place) = self.places.get(path) {
                break *place;
            }
            match path.split_last() {
                Some((_, outer)) => path = outer,
                None => break (1, 1),
            }
        };
        Place {
            file: self.unit.path.clone(),
            line,
            column,
        }
    }

    fn spot<T>(&self, value: T, at: &At, path: &[i32]) -> Spot<T> {
        let place = self.place(&[at.path.as_slice(), path].concat());
        Spot { value, place }
    }

    fn head(&self, at: &At) -> Head {
        Head {
            full: at.scope.clone(),
            file: self.unit.name.clone(),
            package: self.unit.raw.package().to_owned(),
            place: self.place(&at.path),
        }
    }

    /// The options of an element, whose options stand under `field`.
    fn options(&self, at: &At, field: i32, list: Option<&Vec<UninterpretedOption>>) -> Options {
        let own = list.into_iter().flat_map(|list| options::own(list));
        own.map(|(name, value, number)| {
            let spot = self.spot(value, at, &[field, UNINTERPRETED, index(number)]);
            (name.to_owned(), spot)
        })
        .collect()
    }

    fn file(&self, schema: &mut Schema) {
        let (raw, linked) = (&self.unit.raw, &self.unit.linked);
        let at = At {
            scope: raw.package().to_owned(),
            path: Vec::new(),
        };
        if self.unit.own {
            let syntax = if self.proto3() { "proto3" } else { "proto2" };
            let list = raw.options.as_ref().map(|o| &o.uninterpreted_option);
            let file = File {
                place: Place {
                    file: self.unit.path.clone(),
                    ..Place::default()
                },
                package: self.spot(raw.package().to_owned(), &at, &[2]),
                syntax: self.spot(syntax.to_owned(), &at, &[12]),
                options: self.options(&at, 8, list),
            };
            schema.files.insert(self.unit.name.clone(), file);
        }
        for (i, (raw, linked)) in raw
            .message_type
            .iter()
            .zip(&linked.message_type)
            .enumerate()
        {
            self.message(schema, &at.child(raw.name(), &[4, index(i)]), raw, linked);
        }
        for (i, one) in raw.enum_type.iter().enumerate() {
            self.enumeration(schema, &at.child(one.name(), &[5, index(i)]), one);
        }
        if !self.unit.own {
            return;
        }
        for (i, (raw, linked)) in raw.service.iter().zip(&linked.service).enumerate() {
            self.service(schema, &at.child(raw.name(), &[6, index(i)]), raw, linked);
        }
        let maps = HashMap::new();
        for (i, (raw, linked)) in raw.extension.iter().zip(&linked.extension).enumerate() {
            let at = at.child(raw.name(), &[7, index(i)]);
            self.extension(schema, &at, raw, linked, &maps);
        }
    }

    fn message(
        &self,
        schema: &mut Schema,
        at: &At,
        raw: &DescriptorProto,
        linked: &DescriptorProto,
    ) {
        let inner = raw.nested_type.iter().zip(&linked.nested_type).enumerate();
        let mut maps = HashMap::new();
        for (i, (raw, linked)) in inner {
            if linked
                .options
                .as_ref()
                .is_some_and(MessageOptions::map_entry)
            {
                maps.insert(within(&at.scope, raw.name()), linked);
            } else {
                let at = at.child(raw.name(), &[3, index(i)]);
                self.message(schema, &at, raw, linked);
            }
        }
        for (i, one) in raw.enum_type.iter().enumerate() {
            self.enumeration(schema, &at.child(one.name(), &[4, index(i)]), one);
        }
        if !self.unit.own {
            return;
        }
        for (i, (raw, linked)) in raw.extension.iter().zip(&linked.extension).enumerate() {
            let at = at.child(raw.name(), &[6, index(i)]);
            self.extension(schema, &at, raw, linked, &maps);
        }
        let mut fields = BTreeMap::new();
        let written: Vec<&str> = real_oneofs(raw);
        for (i, (one, linked)) in raw.field.iter().zip(&linked.field).enumerate() {
            let at = at.child(one.name(), &[2, index(i)]);
            let mut field = self.field(&at, one, linked, &maps);
            field.oneof = one
                .oneof_index
                .filter(|_| !one.proto3_optional())
                .and_then(|i| raw.oneof_decl.get(usize::try_from(i).ok()?))
                .map(|oneof| oneof.name().to_owned());
            fields.insert(field.number, field);
        }
        let oneofs = raw.oneof_decl.iter().enumerate();
        let oneofs = oneofs.filter(|(_, oneof)| written.contains(&oneof.name()));
        let place = |path: &[i32]| self.place(&[at.path.as_slice(), path].concat());
        let list = raw.options.as_ref().map(|o| &o.uninterpreted_option);
        let inclusive = |start: i32, end: i32| (i64::from(start), i64::from(end) - 1);
        let message = Message {
            head: self.head(at),
            fields,
            oneofs: oneofs
                .map(|(i, oneof)| (oneof.name().to_owned(), place(&[8, index(i)])))
                .collect(),
            extensions: ranges(
                raw.extension_range
                    .iter()
                    .map(|r| inclusive(r.start(), r.end())),
                |i| place(&[5, i]),
            ),
            reserved: Reserved {
                ranges: ranges(
                    raw.reserved_range
                        .iter()
                        .map(|r| inclusive(r.start(), r.end())),
                    |i| place(&[9, i]),
                ),
                names: names(&raw.reserved_name, |i| place(&[10, i])),
            },
            options: self.options(at, 7, list),
            proto3: self.proto3(),
        };
        schema.messages.insert(at.scope.clone(), message);
    }

    fn enumeration(&self, schema: &mut Schema, at: &At, raw: &EnumDescriptorProto) {
        let place = |path: &[i32]| self.place(&[at.path.as_slice(), path].concat());
        let mut values: BTreeMap<i32, BTreeMap<String, Place>> = BTreeMap::new();
        for (i, value) in raw.value.iter().enumerate() {
            let names = values.entry(value.number()).or_default();
            names.insert(value.name().to_owned(), place(&[2, index(i)]));
        }
        let inclusive = raw.reserved_range.iter();
        let inclusive = inclusive.map(|r| (i64::from(r.start()), i64::from(r.end())));
        let one = Enum {
            head: self.head(at),
            closed: !self.proto3(),
            values,
            reserved: Reserved {
                ranges: ranges(inclusive, |i| place(&[4, i])),
                names: names(&raw.reserved_name, |i| place(&[5, i])),
            },
        };
        let into = if self.unit.own {
            &mut schema.enums
        } else {
            &mut schema.imported
        };
        into.insert(at.scope.clone(), one);
    }

    fn service(
        &self,
        schema: &mut Schema,
        at: &At,
        raw: &ServiceDescriptorProto,
        linked: &ServiceDescriptorProto,
    ) {
        let mut methods = BTreeMap::new();
        for (i, (raw, linked)) in raw.method.iter().zip(&linked.method).enumerate() {
            let at = at.child(raw.name(), &[2, index(i)]);
            let list = raw.options.as_ref().map(|o| &o.uninterpreted_option);
            let method = Method {
                head: self.head(&at),
                input: self.spot(plain(linked.input_type()), &at, &[2]),
                output: self.spot(plain(linked.output_type()), &at, &[3]),
                client_streams: raw.client_streaming(),
                server_streams: raw.server_streaming(),
                options: self.options(&at, 4, list),
            };
            methods.insert(raw.name().to_owned(), method);
        }
        let head = self.head(at);
        schema
            .services
            .insert(at.scope.clone(), Service { head, methods });
    }

    fn extension(
        &self,
        schema: &mut Schema,
        at: &At,
        raw: &FieldDescriptorProto,
        linked: &FieldDescriptorProto,
        maps: &Maps<'_>,
    ) {
        let field = self.field(at, raw, linked, maps);
        let of = plain(linked.extendee());
        schema.extensions.insert((of, field.number), field);
    }

    fn field(
        &self,
        at: &At,
        raw: &FieldDescriptorProto,
        linked: &FieldDescriptorProto,
        maps: &Maps<'_>,
    ) -> Field {
        let kind = kind(linked, maps);
        let named = matches!(
            kind,
            Type::Message(_) | Type::Group(_) | Type::Enum(_) | Type::Map(_)
        );
        let list = raw.options.as_ref().map(|o| &o.uninterpreted_option);
        Field {
            head: self.head(at),
            name: self.spot(raw.name().to_owned(), at, &[1]),
            number: raw.number(),
            json: self.spot(linked.json_name().to_owned(), at, &[10]),
            extension: raw.extendee.is_some(),
            cardinality: self.cardinality(raw, &kind),
            default: self.unset(linked, &kind),
            kind: self.spot(kind, at, &[if named { 6 } else { 5 }]),
            written: self.spot(raw.default_value().to_owned(), at, &[7]),
            oneof: None,
            options: self.options(at, 8, list),
            proto3: self.proto3(),
            java_utf8: self.java_utf8,
        }
    }

    fn cardinality(&self, raw: &FieldDescriptorProto, kind: &Type) -> Cardinality {
        match (raw.label(), kind) {
            (_, Type::Map(_)) => Cardinality::Map,
            (Label::Repeated, _) => Cardinality::Repeated,
            (Label::Required, _) => Cardinality::Required,
            (Label::Optional, Type::Message(_) | Type::Group(_)) => Cardinality::Explicit,
            (Label::Optional, _) => {
                let known = !self.proto3() || raw.oneof_index.is_some() || raw.extendee.is_some();
                if known {
                    Cardinality::Explicit
                } else {
                    Cardinality::Implicit
                }
            }
        }
    }

    fn unset(&self, linked: &FieldDescriptorProto, kind: &Type) -> Unset {
        if linked.label() == Label::Repeated {
            return Unset::None;
        }
        let written = linked.default_value.as_deref();
        match kind {
            Type::Scalar("string" | "bytes") => Unset::Text(written.unwrap_or_default().to_owned()),
            Type::Scalar("bool") => Unset::Whole(i128::from(written == Some("true"))),
            Type::Scalar("float" | "double") => Unset::Real(real(written.unwrap_or("0"))),
            Type::Scalar(_) => Unset::Whole(written.and_then(|w| w.parse().ok()).unwrap_or(0)),
            Type::Enum(name) => {
                let values = self.firsts.get(name);
                let first = values.map_or(0, |(first, _)| *first);
                let chosen = written.and_then(|w| values?.1.get(w).copied());
                Unset::Whole(i128::from(chosen.unwrap_or(first)))
            }
            _ => Unset::None,
        }
    }
}

/// The entries of maps by full name.
type Maps<'a> = HashMap<String, &'a DescriptorProto>;

/// The oneofs that are written down, not those that `optional` makes.
fn real_oneofs(raw: &DescriptorProto) -> Vec<&str> {
    let made: Vec<i32> = raw
        .field
        .iter()
        .filter(|field| field.proto3_optional())
        .filter_map(|field| field.oneof_index)
        .collect();
    let all = raw.oneof_decl.iter().enumerate();
    all.filter(|(i, _)| !made.contains(&index(*i)))
        .map(|(_, oneof)| oneof.name())
        .collect()
}

fn ranges(
    list: impl Iterator<Item = (i64, i64)>,
    place: impl Fn(i32) -> Place,
) -> Vec<Spot<(i64, i64)>> {
    list.enumerate()
        .map(|(i, value)| Spot {
            value,
            place: place(index(i)),
        })
        .collect()
}

fn names(list: &[String], place: impl Fn(i32) -> Place) -> BTreeMap<String, Place> {
    let all = list.iter().enumerate();
    all.map(|(i, name)| (name.clone(), place(index(i))))
        .collect()
}

/// A resolved name without the dot in front.
fn plain(name: &str) -> String {
    name.trim_start_matches('.').to_owned()
}

fn real(written: &str) -> f64 {
    match written {
        "inf" => f64::INFINITY,
        "-inf" => f64::NEG_INFINITY,
        other => other.parse().unwrap_or(f64::NAN),
    }
}

fn kind(field: &FieldDescriptorProto, maps: &Maps<'_>) -> Type {
    let name = plain(field.type_name());
    match field.r#type() {
        Wire::Message => match maps.get(&name).map(|entry| entry.field.as_slice()) {
            Some([key, value]) => Type::Map(Box::new((kind(key, maps), kind(value, maps)))),
            _ => Type::Message(name),
        },
        Wire::Group => Type::Group(name),
        Wire::Enum => Type::Enum(name),
        Wire::Double => Type::Scalar("double"),
        Wire::Float => Type::Scalar("float"),
        Wire::Int64 => Type::Scalar("int64"),
        Wire::Uint64 => Type::Scalar("uint64"),
        Wire::Int32 => Type::Scalar("int32"),
        Wire::Fixed64 => Type::Scalar("fixed64"),
        Wire::Fixed32 => Type::Scalar("fixed32"),
        Wire::Bool => Type::Scalar("bool"),
        Wire::String => Type::Scalar("string"),
        Wire::Bytes => Type::Scalar("bytes"),
        Wire::Uint32 => Type::Scalar("uint32"),
        Wire::Sfixed32 => Type::Scalar("sfixed32"),
        Wire::Sfixed64 => Type::Scalar("sfixed64"),
        Wire::Sint32 => Type::Scalar("sint32"),
        Wire::Sint64 => Type::Scalar("sint64"),
    }
}
