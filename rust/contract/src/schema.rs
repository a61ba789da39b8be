//! One side of a comparison as values: what its files declare, and where.

use std::collections::{BTreeMap, BTreeSet};

/// Where something stands: a file of the repository, with line and column from 1; both
/// are 0 where the whole file is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Path from the repository's root.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
}

/// A value with its place.
#[derive(Clone, Debug, Default)]
pub struct Spot<T> {
    /// The value.
    pub value: T,
    /// Where it is written; where it is not, its owner's place.
    pub place: Place,
}

/// The options of an element that are not of somebody's own making.
pub type Options = BTreeMap<String, Spot<String>>;

/// Everything that one side declares.
#[derive(Debug, Default)]
pub struct Schema {
    /// Files by the name under which they are imported.
    pub files: BTreeMap<String, File>,
    /// Messages by full name, without the entries of maps.
    pub messages: BTreeMap<String, Message>,
    /// Enums by full name.
    pub enums: BTreeMap<String, Enum>,
    /// Enums of imported files, which are not compared but may be the type of a field.
    pub imported: BTreeMap<String, Enum>,
    /// Services by full name.
    pub services: BTreeMap<String, Service>,
    /// Extensions by the message that they extend, and their number.
    pub extensions: BTreeMap<(String, i32), Field>,
}

impl Schema {
    /// An enum that is the type of a field.
    pub fn enum_type(&self, name: &str) -> Option<&Enum> {
        self.enums.get(name).or_else(|| self.imported.get(name))
    }
}

/// One file.
#[derive(Debug, Default)]
pub struct File {
    /// The file as a whole.
    pub place: Place,
    /// The package; empty for none.
    pub package: Spot<String>,
    /// `proto2` or `proto3`.
    pub syntax: Spot<String>,
    /// Its options.
    pub options: Options,
}

/// What messages, enums, services and extensions have in common.
#[derive(Debug, Default)]
pub struct Head {
    /// Full name.
    pub full: String,
    /// Name of the file that declares it.
    pub file: String,
    /// The package of that file.
    pub package: String,
    /// Where it stands.
    pub place: Place,
}

impl Head {
    /// The name within the package.
    pub fn nested(&self) -> &str {
        self.full
            .strip_prefix(&self.package)
            .map_or(self.full.as_str(), |rest| rest.trim_start_matches('.'))
    }
}

/// A message.
#[derive(Debug, Default)]
pub struct Message {
    /// Name and place.
    pub head: Head,
    /// Fields by number.
    pub fields: BTreeMap<i32, Field>,
    /// Oneofs that are written down.
    pub oneofs: BTreeMap<String, Place>,
    /// Numbers for extensions, both ends included.
    pub extensions: Vec<Spot<Range>>,
    /// What is reserved.
    pub reserved: Reserved,
    /// Its options.
    pub options: Options,
    /// Whether its file is proto3.
    pub proto3: bool,
}

/// A range of numbers, both ends included.
pub type Range = (i64, i64);

/// Numbers and names that may not be used.
#[derive(Debug, Default)]
pub struct Reserved {
    /// Numbers.
    pub ranges: Vec<Spot<Range>>,
    /// Names.
    pub names: BTreeMap<String, Place>,
}

impl Reserved {
    /// Whether this number is reserved.
    pub fn number(&self, number: i32) -> bool {
        let number = i64::from(number);
        self.ranges
            .iter()
            .any(|r| r.value.0 <= number && number <= r.value.1)
    }
}

/// How often a field may be there, and whether it is known that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cardinality {
    /// At most once, and set or not.
    Explicit,
    /// At most once; not set is the zero value.
    Implicit,
    /// Exactly once.
    Required,
    /// Any number of times.
    Repeated,
    /// Any number of times, by key.
    Map,
}

impl Cardinality {
    /// As people say it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Explicit => "optional with explicit presence",
            Self::Implicit => "optional with implicit presence",
            Self::Required => "required",
            Self::Repeated => "repeated",
            Self::Map => "map",
        }
    }
}

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A scalar, by its name in the language.
    Scalar(&'static str),
    /// A message, by full name.
    Message(String),
    /// A group, by the full name of its message.
    Group(String),
    /// An enum, by full name.
    Enum(String),
    /// A map from key to value.
    Map(Box<(Type, Type)>),
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scalar(name) => f.write_str(name),
            Self::Message(name) | Self::Enum(name) => f.write_str(name),
            Self::Group(name) => write!(f, "group {name}"),
            Self::Map(entry) => write!(f, "map<{}, {}>", entry.0, entry.1),
        }
    }
}

/// The value of a field that is not set.
#[derive(Clone, Debug)]
pub enum Unset {
    /// Of a string or bytes.
    Text(String),
    /// Of integers, booleans and enums.
    Whole(i128),
    /// Of a float or a double.
    Real(f64),
    /// Of what has none: messages, what is repeated.
    None,
}

/// A field of a message, or an extension.
#[derive(Debug)]
pub struct Field {
    /// Full name and place.
    pub head: Head,
    /// Name.
    pub name: Spot<String>,
    /// Number.
    pub number: i32,
    /// Name in JSON.
    pub json: Spot<String>,
    /// Whether it is an extension.
    pub extension: bool,
    /// How often.
    pub cardinality: Cardinality,
    /// Its type.
    pub kind: Spot<Type>,
    /// Value where it is not set, as it is compared, and as it is written.
    pub default: Unset,
    /// The default as it is written; empty where it is not.
    pub written: Spot<String>,
    /// The oneof that holds it, where one is written down.
    pub oneof: Option<String>,
    /// Its options.
    pub options: Options,
    /// Whether its file is proto3.
    pub proto3: bool,
    /// Whether its file has Java check UTF-8.
    pub java_utf8: bool,
}

/// An enum.
#[derive(Debug, Default)]
pub struct Enum {
    /// Name and place.
    pub head: Head,
    /// Whether it is closed, as those of proto2 are.
    pub closed: bool,
    /// Names and places by number.
    pub values: BTreeMap<i32, BTreeMap<String, Place>>,
    /// What is reserved.
    pub reserved: Reserved,
}

impl Enum {
    /// All names with their numbers.
    pub fn names(&self) -> BTreeSet<(&str, i32)> {
        self.values
            .iter()
            .flat_map(|(number, names)| names.keys().map(|name| (name.as_str(), *number)))
            .collect()
    }

    /// The name without those of what holds it.
    pub fn short(&self) -> &str {
        self.head.full.rsplit('.').next().unwrap_or_default()
    }
}

/// A service.
#[derive(Debug, Default)]
pub struct Service {
    /// Name and place.
    pub head: Head,
    /// Methods by name.
    pub methods: BTreeMap<String, Method>,
}

/// A method of a service.
#[derive(Debug, Default)]
pub struct Method {
    /// Full name and place.
    pub head: Head,
    /// Full name of the request.
    pub input: Spot<String>,
    /// Full name of the response.
    pub output: Spot<String>,
    /// Whether the client streams.
    pub client_streams: bool,
    /// Whether the server streams.
    pub server_streams: bool,
    /// Its options.
    pub options: Options,
}
