//! Reports of the race detector.

use memchr::memmem;

use super::{Parser, State, frame, header};
use crate::collect::Collector;
use crate::symbols::{Frame, Symbols};

/// One access of a race, or the start of one of its goroutines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `read`, `write`, `atomic read`, `previous write`, …; `created` for a start.
    pub operation: String,
    /// The goroutine; 1 for the main one.
    pub goroutine: u64,
    /// `running` or `finished`, of a start.
    pub state: String,
    /// The stack; empty where the detector could not restore it.
    pub frames: Vec<Frame>,
}

/// One race.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Race {
    /// The address, as written.
    pub address: String,
    /// The two accesses.
    pub accesses: Vec<Access>,
    /// Where the goroutines were started.
    pub created: Vec<Access>,
    /// The line of the source.
    pub line: u64,
}

/// The race that is being read.
#[derive(Debug, Default)]
pub struct Reader {
    race: Option<Race>,
    in_created: bool,
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
}

impl Parser<'_> {
    pub(super) fn race_line(&mut self, line: &[u8], rest: &[u8]) {
        let text = line.trim_ascii();
        if text.starts_with(b"==================") {
            self.race.finish(self.out);
            self.state = State::Outside;
        } else if text.is_empty() || text == b"[failed to restore the stack]" {
            self.open = false;
        } else if self.race_part(line, text) {
            self.blank = false;
        } else if header::find(line).is_some()
            || memmem::find(line, b"WARNING: DATA RACE").is_some()
        {
            self.race.finish(self.out);
            self.state = State::Outside;
            self.outside(line, rest);
        } else {
            self.note(line);
        }
    }

    /// A line of the report itself: heads stand at the margin, frames do not.
    fn race_part(&mut self, line: &[u8], text: &[u8]) -> bool {
        if line.starts_with(b" ") {
            return self.race_frame(text);
        }
        let head = self.race_head(text);
        self.open &= !head;
        head
    }

    /// `Previous write at 0x… by goroutine 7:`, `Goroutine 7 (running) created at:`.
    fn race_head(&mut self, text: &[u8]) -> bool {
        let Some(text) = std::str::from_utf8(text)
            .ok()
            .and_then(|t| t.strip_suffix(':'))
        else {
            return false;
        };
        let Some(race) = self.race.race.as_mut() else {
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
            self.race.in_created = false;
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
        self.race.in_created = true;
        true
    }

    fn race_frame(&mut self, text: &[u8]) -> bool {
        if let Some((name, _)) = frame::function(text) {
            let func = self.out.symbols.function(name);
            self.open = true;
            return self.race.current().is_some_and(|access| {
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
        let place = self.out.symbols.place(place);
        if let Some(last) = self
            .race
            .current()
            .and_then(|access| access.frames.last_mut())
        {
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
