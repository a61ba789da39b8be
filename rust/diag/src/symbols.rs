//! Every function name and every place of a dump once, as a number: a dump repeats a few
//! hundred of them a hundred thousand times.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::names::{self, Function};

/// Texts as numbers, in the order in which they were first seen.
#[derive(Debug, Default)]
pub struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Texts {
    /// The number of a text, and whether it is new.
    pub fn intern(&mut self, text: &[u8]) -> (u32, bool) {
        let hash = self.hasher.hash_one(text);
        let (bytes, ends) = (&self.bytes, &self.ends);
        if let Some(&id) = self
            .table
            .find(hash, |&id| slice(bytes, ends, id as usize) == text)
        {
            return (id, false);
        }
        let id = self.ends.len() as u32;
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        self.table.insert_unique(hash, id, |&id| {
            hasher.hash_one(slice(bytes, ends, id as usize))
        });
        (id, true)
    }

    /// The text of a number that this table gave.
    pub fn get(&self, id: u32) -> &[u8] {
        slice(&self.bytes, &self.ends, id as usize)
    }

    /// The text as people read it.
    pub fn text(&self, id: u32) -> String {
        String::from_utf8_lossy(self.get(id)).into_owned()
    }
}

fn slice<'a>(bytes: &'a [u8], ends: &[usize], id: usize) -> &'a [u8] {
    let start = if id == 0 { 0 } else { ends[id - 1] };
    &bytes[start..ends[id]]
}

/// A frame of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// Number of the function.
    pub func: u32,
    /// Number of the place; [`Symbols::NO_PLACE`] where the dump names none.
    pub place: u32,
}

/// The functions and places of all sources of one request.
#[derive(Debug)]
pub struct Symbols {
    functions: Texts,
    facts: Vec<Function>,
    places: Texts,
}

impl Default for Symbols {
    fn default() -> Self {
        let mut places = Texts::default();
        places.intern(b"");
        Self {
            functions: Texts::default(),
            facts: Vec::new(),
            places,
        }
    }
}

impl Symbols {
    /// The place of a frame without one.
    pub const NO_PLACE: u32 = 0;

    /// The number of a function as the dump writes it, without arguments.
    pub fn function(&mut self, name: &[u8]) -> u32 {
        let (id, new) = self.functions.intern(name);
        if new {
            self.facts.push(names::facts(name));
        }
        id
    }

    /// The number of `file:line`.
    pub fn place(&mut self, place: &[u8]) -> u32 {
        self.places.intern(place).0
    }

    /// What is known of a function from its name.
    pub fn facts(&self, func: u32) -> &Function {
        &self.facts[func as usize]
    }

    /// Whether a function is the runtime's `panic`.
    pub fn is_panic(&self, func: u32) -> bool {
        let facts = self.facts(func);
        matches!(
            (facts.package.as_str(), facts.declaration.as_str()),
            ("", "panic") | ("runtime", "gopanic")
        )
    }

    /// The name as the dump wrote it.
    pub fn name(&self, func: u32) -> String {
        self.functions.text(func)
    }

    /// The name's bytes.
    pub fn function_text(&self, func: u32) -> &[u8] {
        self.functions.get(func)
    }

    /// The bytes of a place.
    pub fn place_text(&self, place: u32) -> &[u8] {
        self.places.get(place)
    }

    /// File and line of a place; an empty file and line 0 for none.
    pub fn file_line(&self, place: u32) -> (String, u32) {
        let text = self.places.get(place);
        let Some(colon) = memchr::memrchr(b':', text) else {
            return (String::from_utf8_lossy(text).into_owned(), 0);
        };
        let line = std::str::from_utf8(&text[colon + 1..]).unwrap_or_default();
        let file = String::from_utf8_lossy(&text[..colon]).into_owned();
        (file, line.parse().unwrap_or(0))
    }

    /// Whether a frame is code of the Go distribution. A module may be called as a folder
    /// of the standard library; its files do not lie in a folder of that path.
    pub fn is_standard(&self, frame: Frame) -> bool {
        let facts = self.facts(frame.func);
        if !facts.standard || facts.package.is_empty() {
            return facts.standard;
        }
        let place = self.places.get(frame.place);
        let Some(slash) = place.iter().rposition(|&b| b == b'/' || b == b'\\') else {
            return true;
        };
        let folder = &place[..slash];
        // Since Go 1.24 functions called runtime.map… lie in internal/runtime/maps.
        let below = memchr::memmem::rfind(folder, b"internal/runtime/");
        if facts.package == "runtime" && below.is_some() {
            return true;
        }
        // What the runtime provides under another package's name lies in its folder.
        [facts.package.as_bytes(), b"runtime"]
            .iter()
            .any(|package| ends_with_path(folder, package))
    }
}

/// Whether a folder is that of an import path, whichever slashes it is written with. A
/// path that was trimmed may be shorter.
fn ends_with_path(folder: &[u8], package: &[u8]) -> bool {
    let Some(start) = folder.len().checked_sub(package.len()) else {
        return false;
    };
    let tail = &folder[start..];
    tail.iter()
        .zip(package)
        .all(|(a, b)| a == b || (*a == b'\\' && *b == b'/'))
        && (start == 0 || matches!(folder[start - 1], b'/' | b'\\'))
}
