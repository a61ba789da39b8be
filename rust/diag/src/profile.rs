//! A profile as a document: functions with what they cost, and the part of the change.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::changed::Changed;
use crate::pprof::{Profile, SampleType};
use crate::symbols::{Frame, Symbols};

/// The document that `profile` answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    format: u32,
    source: Source,
    /// The columns that the profile has.
    types: Vec<Column>,
    /// The one that is shown.
    #[serde(rename = "type")]
    shown: Column,
    total: i64,
    /// That of the older profile; null without one.
    old_total: Option<i64>,
    /// Null where no change is known.
    change: Option<Part>,
    /// The same functions in the older profile.
    old_change: Option<Part>,
    /// The most costly first.
    functions: Vec<Function>,
    /// The stacks, the most costly first.
    stacks: Vec<Stack>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    profiles: usize,
    samples: u64,
    /// Nanoseconds since 1970; 0 where no profile says.
    time: i64,
    duration_seconds: f64,
}

#[derive(Serialize)]
struct Column {
    #[serde(rename = "type")]
    name: String,
    unit: String,
}

/// What changed functions cost.
#[derive(Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// In stacks that pass through a changed function.
    value: i64,
    /// Of the total; null where that is 0.
    share: Option<f64>,
    /// In changed functions themselves.
    own: i64,
    own_share: Option<f64>,
    /// How many changed functions were met.
    functions: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Function {
    func: String,
    file: String,
    /// Of the line that costs most.
    line: u32,
    /// In itself, and with what it calls.
    flat: i64,
    cum: i64,
    flat_share: Option<f64>,
    cum_share: Option<f64>,
    changed: bool,
    /// Whether it is not code of the Go distribution.
    own: bool,
    delta: Option<Delta>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Delta {
    /// `new`, `grown`, `shrunk`, `gone` or `same`, by its share.
    kind: &'static str,
    flat: i64,
    cum: i64,
    /// Differences of shares.
    flat_share: f64,
    cum_share: f64,
}

#[derive(Serialize)]
struct Stack {
    /// The innermost first.
    frames: Vec<StackFrame>,
    value: i64,
    /// In the older profile; null without one.
    old: Option<i64>,
}

#[derive(Clone, Serialize)]
struct StackFrame {
    func: String,
    file: String,
    line: u32,
    changed: bool,
    own: bool,
}

/// As many stacks as a document holds: those below are of no weight, and a heap profile
/// may have a hundred thousand.
const MOST_STACKS: usize = 2000;

/// Makes the document of a column of a profile, beside an older one.
pub fn build(
    new: &Profile,
    old: Option<&Profile>,
    column: usize,
    profiles: usize,
    symbols: &Symbols,
    changed: Option<&Changed>,
) -> Document {
    let mut marks = Marks {
        symbols,
        changed,
        known: HashMap::new(),
    };
    let sum = Sum::of(new, column, &mut marks);
    let before = old.map(|old| Sum::of(old, column, &mut marks));
    let named = |kind: &SampleType| Column {
        name: kind.name.clone(),
        unit: kind.unit.clone(),
    };
    Document {
        format: 1,
        source: Source {
            profiles,
            samples: new.samples,
            time: new.time,
            duration_seconds: float(new.duration) / 1e9,
        },
        types: new.types.iter().map(named).collect(),
        shown: named(&new.types[column]),
        total: sum.total,
        old_total: before.as_ref().map(|sum| sum.total),
        change: changed.map(|_| sum.change()),
        old_change: changed.and(before.as_ref()).map(Sum::change),
        functions: functions(&sum, before.as_ref(), &mut marks),
        stacks: stacks(new, old, column, &mut marks),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
fn float(value: i64) -> f64 {
    value as f64
}

fn share(value: i64, total: i64) -> Option<f64> {
    (total != 0).then(|| float(value) / float(total))
}

/// What is known of frames.
struct Marks<'a> {
    symbols: &'a Symbols,
    changed: Option<&'a Changed>,
    known: HashMap<Frame, (bool, bool)>,
}

impl Marks<'_> {
    /// Whether its function is changed, and whether it is not Go's own.
    fn of(&mut self, frame: Frame) -> (bool, bool) {
        let (symbols, changed) = (self.symbols, self.changed);
        *self.known.entry(frame).or_insert_with(|| {
            let touched =
                changed.is_some_and(|changed| changed.touch(frame, symbols).function.is_some());
            (touched, !symbols.is_standard(frame))
        })
    }

    fn shown(&mut self, frame: Frame) -> StackFrame {
        let (changed, own) = self.of(frame);
        let (file, line) = self.symbols.file_line(frame.place);
        StackFrame {
            func: self.symbols.name(frame.func),
            file,
            line,
            changed,
            own,
        }
    }
}

#[derive(Default)]
struct Cost {
    flat: i64,
    cum: i64,
    changed: bool,
    /// The cost of each place, to show the one that costs most.
    places: HashMap<Frame, i64>,
}

#[derive(Default)]
struct Sum {
    total: i64,
    by_function: HashMap<u32, Cost>,
    value: i64,
    own: i64,
}

impl Sum {
    fn of(profile: &Profile, column: usize, marks: &mut Marks<'_>) -> Self {
        let mut sum = Self::default();
        let mut met = HashSet::new();
        for (key, values) in &profile.stacks {
            let value = values[column];
            if value == 0 {
                continue;
            }
            sum.total = sum.total.saturating_add(value);
            met.clear();
            let mut through = false;
            for (depth, frame) in key.frames.iter().enumerate() {
                let changed = marks.of(*frame).0;
                through |= changed;
                let cost = sum.by_function.entry(frame.func).or_default();
                cost.changed |= changed;
                if depth == 0 {
                    cost.flat = cost.flat.saturating_add(value);
                    sum.own = sum.own.saturating_add(if changed { value } else { 0 });
                }
                // A function that calls itself stands in the stack several times.
                if met.insert(frame.func) {
                    cost.cum = cost.cum.saturating_add(value);
                    let place = cost.places.entry(*frame).or_default();
                    *place = place.saturating_add(value);
                }
            }
            sum.value = sum.value.saturating_add(if through { value } else { 0 });
        }
        sum
    }

    fn change(&self) -> Part {
        Part {
            value: self.value,
            share: share(self.value, self.total),
            own: self.own,
            own_share: share(self.own, self.total),
            functions: self
                .by_function
                .values()
                .filter(|cost| cost.changed)
                .count(),
        }
    }
}

fn functions(new: &Sum, old: Option<&Sum>, marks: &mut Marks<'_>) -> Vec<Function> {
    let none = Cost::default();
    let before = old.map(|old| &old.by_function);
    let mut all: Vec<u32> = new.by_function.keys().copied().collect();
    let gone = before.into_iter().flat_map(HashMap::keys);
    all.extend(gone.filter(|func| !new.by_function.contains_key(func)));
    let mut list: Vec<Function> = all
        .into_iter()
        .map(|func| {
            let cost = new.by_function.get(&func).unwrap_or(&none);
            let was = before.map(|before| before.get(&func).unwrap_or(&none));
            let places = if cost.places.is_empty() {
                was.map(|was| &was.places)
            } else {
                Some(&cost.places)
            };
            let heaviest =
                places.and_then(|p| p.iter().max_by_key(|(frame, value)| (**value, frame.place)));
            let frame = heaviest.map_or(
                Frame {
                    func,
                    place: Symbols::NO_PLACE,
                },
                |(frame, _)| *frame,
            );
            let (_, own) = marks.of(frame);
            let (file, line) = marks.symbols.file_line(frame.place);
            let shares =
                |cost: &Cost, total: i64| (share(cost.flat, total), share(cost.cum, total));
            let (flat_share, cum_share) = shares(cost, new.total);
            Function {
                func: marks.symbols.name(func),
                file,
                line,
                flat: cost.flat,
                cum: cost.cum,
                flat_share,
                cum_share,
                changed: cost.changed || was.is_some_and(|was| was.changed),
                own,
                delta: was.map(|was| {
                    let (flat, cum) = shares(was, old.map_or(0, |old| old.total));
                    delta(cost, was, (flat_share, cum_share), (flat, cum))
                }),
            }
        })
        .collect();
    list.sort_by(|a, b| (b.flat, b.cum, &a.func).cmp(&(a.flat, a.cum, &b.func)));
    list
}

/// A share is the same up to a thousandth of all.
const SAME: f64 = 0.001;

type Shares = (Option<f64>, Option<f64>);

fn delta(new: &Cost, old: &Cost, is: Shares, was: Shares) -> Delta {
    let minus = |a: Option<f64>, b: Option<f64>| a.unwrap_or(0.0) - b.unwrap_or(0.0);
    let cum_share = minus(is.1, was.1);
    Delta {
        kind: match (old.cum != 0, new.cum != 0) {
            (false, true) => "new",
            (true, false) => "gone",
            _ if cum_share > SAME => "grown",
            _ if cum_share < -SAME => "shrunk",
            _ => "same",
        },
        flat: new.flat.saturating_sub(old.flat),
        cum: new.cum.saturating_sub(old.cum),
        flat_share: minus(is.0, was.0),
        cum_share,
    }
}

fn stacks(
    new: &Profile,
    old: Option<&Profile>,
    column: usize,
    marks: &mut Marks<'_>,
) -> Vec<Stack> {
    let mut sums: HashMap<&[Frame], (i64, i64)> = HashMap::new();
    for (key, values) in &new.stacks {
        let sum = sums.entry(&key.frames).or_default();
        sum.0 = sum.0.saturating_add(values[column]);
    }
    for (key, values) in old.into_iter().flat_map(|old| &old.stacks) {
        let sum = sums.entry(&key.frames).or_default();
        sum.1 = sum.1.saturating_add(values[column]);
    }
    let mut list: Vec<(&[Frame], (i64, i64))> =
        sums.into_iter().filter(|(_, sum)| *sum != (0, 0)).collect();
    let order = |frames: &[Frame]| -> Vec<(u32, u32)> {
        frames.iter().map(|f| (f.func, f.place)).collect()
    };
    list.sort_by_cached_key(|(frames, sum)| (std::cmp::Reverse(*sum), order(frames)));
    list.truncate(MOST_STACKS);
    list.into_iter()
        .map(|(frames, sum)| Stack {
            frames: frames.iter().map(|frame| marks.shown(*frame)).collect(),
            value: sum.0,
            old: old.map(|_| sum.1),
        })
        .collect()
}
