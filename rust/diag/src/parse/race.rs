//! Reports of the race detector.

use memchr::memmem;

use super::reading::Next;
use super::{frame, header};
use crate::collect::Collector;
use crate::model::{Access, Race};
use crate::symbols::{Frame, Symbols};

/// The race that is being read.
#[derive(Debug, Default)]
pub struct Reader {
    race: Option<Race>,
    in_created: bool,
    /// The last function still lacks its place.
    open: bool,
}

impl Reader {
    pub fn begin(&mut self, line: u64) {
        self.race = Some(Race {
            line,
            ..Race::default()
        });
    }

    pub fn finish(&mut self, out: &mut Collector) {
        if let Some(race) = self.race.take() {
            out.race(race);
        }
    }

    /// The access whose stack is being read.
    fn current(&mut self) -> Option<&mut Access> {
        let race = self.race.as_mut()?;
        if self.in_created {
            race.created.last_mut()
        } else {
            race.accesses.last_mut()
        }
    }

    /// Takes one line.
    pub fn line(&mut self, line: &[u8], out: &mut Collector) -> Next {
        let text = line.trim_ascii();
        if text.starts_with(b"==================") {
            self.finish(out);
            Next::Done
        } else if text.is_empty() || text == b"[failed to restore the stack]" {
            self.open = false;
            Next::Mine
        } else if self.part(line, text, out) {
            Next::Mine
        } else if header::find(line).is_some()
            || memmem::find(line, b"WARNING: DATA RACE").is_some()
        {
            self.finish(out);
            Next::Other
        } else {
            Next::Unknown
        }
    }

    /// A line of the report itself: heads stand at the margin, frames do not.
    fn part(&mut self, line: &[u8], text: &[u8], out: &mut Collector) -> bool {
        if line.starts_with(b" ") {
            return self.frame(text, out);
        }
        let head = self.head(text);
        self.open &= !head;
        head
    }

    /// `Previous write at 0x… by goroutine 7:`, `Goroutine 7 (running) created at:`.
    fn head(&mut self, text: &[u8]) -> bool {
        let Some(text) = std::str::from_utf8(text)
            .ok()
            .and_then(|t| t.strip_suffix(':'))
        else {
            return false;
        };
        let Some(race) = self.race.as_mut() else {
            return false;
        };
        if let Some((operation, rest)) = text.split_once(" at 0x") {
            let (address, by) = rest.split_once(" by ").unwrap_or((rest, ""));
            race.address = format!("0x{address}");
            race.accesses.push(Access {
                operation: operation.to_ascii_lowercase(),
                goroutine: goroutine(by),
                ..Access::default()
            });
            self.in_created = false;
            return true;
        }
        let Some(head) = text.strip_suffix(" created at") else {
            return false;
        };
        let (who, state) = head.split_once(" (").unwrap_or((head, ""));
        race.created.push(Access {
            operation: "created".into(),
            goroutine: goroutine(&who.to_ascii_lowercase()),
            state: state.trim_end_matches(')').into(),
            frames: Vec::new(),
        });
        self.in_created = true;
        true
    }

    fn frame(&mut self, text: &[u8], out: &mut Collector) -> bool {
        if let Some((name, _)) = frame::function(text) {
            let func = out.symbols.function(name);
            self.open = true;
            return self.current().is_some_and(|access| {
                access.frames.push(Frame {
                    func,
                    place: Symbols::NO_PLACE,
                });
                true
            });
        }
        let Some(place) = frame::place(text).filter(|_| self.open) else {
            return false;
        };
        self.open = false;
        let place = out.symbols.place(place);
        if let Some(last) = self.current().and_then(|access| access.frames.last_mut()) {
            last.place = place;
        }
        true
    }
}

/// `goroutine 7`, `main goroutine`.
fn goroutine(who: &str) -> u64 {
    if who.starts_with("main goroutine") {
        return 1;
    }
    let digits = who.trim_start_matches("goroutine ").as_bytes();
    header::number(digits).map_or(0, |(id, _)| id)
}
