//! What was found, and where.

use serde::Serialize;

use crate::rules::table::Rule;
use crate::schema::Place;

/// One difference that a rule forbids.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    place: At,
    /// goat's id: `protobuf.`, what is looked at, what it must not do.
    id: String,
    /// The rule, as buf names it.
    rule: &'static str,
    /// `breaking`.
    severity: &'static str,
    /// The element, by its full name.
    subject: String,
    message: String,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct At {
    file: String,
    line: u32,
    column: u32,
    /// Whether the place is one of the base.
    base: bool,
}

/// Collects the findings of the rules that are asked for.
pub struct Findings<'a> {
    rules: &'a [&'static Rule],
    found: Vec<Finding>,
}

impl<'a> Findings<'a> {
    /// None yet.
    pub fn new(rules: &'a [&'static Rule]) -> Self {
        let found = Vec::new();
        Self { rules, found }
    }

    /// In the release.
    pub fn here(&mut self, rule: &str, place: &Place, subject: &str, message: String) {
        self.add(rule, place, false, subject, message);
    }

    /// In the base: what is gone has no place in the release.
    pub fn gone(&mut self, rule: &str, place: &Place, subject: &str, message: String) {
        self.add(rule, place, true, subject, message);
    }

    fn add(&mut self, rule: &str, place: &Place, base: bool, subject: &str, message: String) {
        let Some(rule) = self.rules.iter().find(|known| known.name == rule) else {
            return;
        };
        self.found.push(Finding {
            place: At {
                file: place.file.clone(),
                line: place.line,
                column: place.column,
                base,
            },
            id: rule.id(),
            rule: rule.name,
            severity: "breaking",
            subject: subject.to_owned(),
            message,
        });
    }

    /// All of them, by place.
    pub fn sorted(mut self) -> Vec<Finding> {
        self.found.sort();
        self.found
    }
}
