//! The next line of a stack, as it was the last time. A dump repeats a few hundred frames a
//! hundred thousand times: what follows a frame is nearly always what followed it before,
//! and to compare costs a fraction of what it costs to read.

use crate::symbols::{Frame, Symbols};

/// What came after each function and each place.
#[derive(Debug, Default)]
pub struct Foreseen {
    /// The place of a function, by its number.
    place: Vec<u32>,
    /// The next function and one more, by the number of the place before it; 0 for none.
    function: Vec<u32>,
    /// The same for who started the goroutine and where, by the number of the place of its
    /// first function.
    creator: Vec<u32>,
    started: Vec<u32>,
}

impl Foreseen {
    /// Remembers the place of the last function of a stack.
    pub fn saw_place(&mut self, frame: Frame) {
        put(&mut self.place, frame.func, frame.place);
    }

    /// Remembers what was called from the frame below.
    pub fn saw_function(&mut self, before: Frame, func: u32) {
        put(&mut self.function, before.place, func + 1);
    }

    /// Remembers who started a goroutine whose first function is the last of the stack.
    pub fn saw_creator(&mut self, last: Frame, func: u32) {
        put(&mut self.creator, last.place, func + 1);
    }

    /// Remembers where they did.
    pub fn saw_start(&mut self, last: Frame, place: u32) {
        put(&mut self.started, last.place, place);
    }

    /// The number of a place line's place, where the line is the one that is foreseen; all
    /// of it is of the form that the reader would have read it by.
    pub fn place(&self, func: u32, line: &[u8], symbols: &Symbols) -> Option<u32> {
        placed(&self.place, func, line, symbols)
    }

    /// The same of the line behind `created by`.
    pub fn start(&self, last: Frame, line: &[u8], symbols: &Symbols) -> Option<u32> {
        placed(&self.started, last.place, line, symbols)
    }

    /// Who started the goroutine, by the line that says so, and the goroutine's number.
    pub fn creator(&self, last: Frame, line: &[u8], symbols: &Symbols) -> Option<(u32, u64)> {
        let func = self.creator.get(last.place as usize)?.checked_sub(1)?;
        let name = line.strip_prefix(b"created by ")?;
        let tail = name.strip_prefix(symbols.function_text(func))?;
        match super::header::number(tail.strip_prefix(b" in goroutine ")?)? {
            (parent, []) => Some((func, parent)),
            _ => None,
        }
    }

    /// The number of a function line's function, and its arguments.
    pub fn function<'l>(
        &self,
        before: Frame,
        line: &'l [u8],
        symbols: &Symbols,
    ) -> Option<(u32, &'l [u8])> {
        let func = self.function.get(before.place as usize)?.checked_sub(1)?;
        let tail = line.strip_prefix(symbols.function_text(func))?;
        let args = tail.strip_prefix(b"(")?.strip_suffix(b")")?;
        // A parenthesis would be of the name, the others of a line in a line.
        let plain = memchr::memchr3(b'(', b'"', b'\\', args).is_none();
        plain.then_some((func, args))
    }
}

fn placed(list: &[u32], by: u32, line: &[u8], symbols: &Symbols) -> Option<u32> {
    let place = *list.get(by as usize)?;
    let text = symbols.place_text(place);
    let tail = line.strip_prefix(b"\t")?.strip_prefix(text)?;
    let plain = match tail.split_first() {
        None => true,
        Some((b' ', offset)) => offset
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b' ' | b'=')),
        Some(_) => false,
    };
    (plain && !text.is_empty()).then_some(place)
}

fn put(list: &mut Vec<u32>, at: u32, value: u32) {
    let at = at as usize;
    if list.len() <= at {
        list.resize(at + 1, 0);
    }
    list[at] = value;
}
