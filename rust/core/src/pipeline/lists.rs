//! The long lists of the last public document, and what edits make of them. What stays is not
//! copied: the new lists are parts of the old ones with new ones between.

use std::collections::HashSet;
use std::ops::Range;

use super::rows::{Row, Rows, Size, in_order};
use crate::git::Stamp;
use crate::plan::{Parts, counts_from, ids_in, renumber};

/// The lists of a public document, and what each row has of them.
pub(super) struct Lists<'t> {
    points: &'t [u8],
    account: &'t [u8],
    rows: Vec<Own>,
}

/// Where the parts of a row stand.
#[derive(Clone, Default)]
struct Own {
    /// In the lists of the edited files.
    is_new: bool,
    points: Range<usize>,
    account: Range<usize>,
}

impl<'t> Lists<'t> {
    /// The lists in a document with these rows.
    pub(super) fn find(document: &'t [u8], rows: &[Row]) -> Option<Self> {
        // No text holds this: its quotes would have a backslash in front.
        const POINTS: &[u8] = b",\"points\":[";
        let at = memchr::memmem::find(document, POINTS)? + POINTS.len();
        let (points, rest) = document[at..].split_at_checked(length(rows, |size| size.points))?;
        let rest = rest.strip_prefix(b"],\"account\":[")?;
        let (account, rest) = rest.split_at_checked(length(rows, |size| size.account))?;
        rest.strip_prefix(b"],\"files\":")?;
        Self::split(points, account, rows)
    }

    /// The parts of lists that have the sizes that the rows say; `None` where they have not.
    fn split(points: &'t [u8], account: &'t [u8], rows: &[Row]) -> Option<Self> {
        let mut found = vec![Own::default(); rows.len()];
        let mut at = 0;
        for row in in_order(rows) {
            found[row].points = next(points, &mut at, rows[row].size.points)?;
        }
        let whole = at == points.len();
        at = 0;
        for (row, own) in rows.iter().zip(&mut found) {
            own.account = next(account, &mut at, row.size.account)?;
        }
        (whole && at == account.len()).then_some(Self {
            points,
            account,
            rows: found,
        })
    }

    /// Puts new rows in the place of the old ones of the same files; gives the lists. `None`
    /// where two points would have one id.
    pub(super) fn put_in(
        mut self,
        rows: &mut Vec<Row>,
        new: &Rows,
        edits: &[(String, Stamp)],
    ) -> Option<(Parts<'t>, Parts<'t>)> {
        let new_lists = (new.points.as_str(), new.account.as_str());
        let new_lists = Lists::split(new_lists.0.as_bytes(), new_lists.1.as_bytes(), &new.all)?;
        let place =
            |rows: &[Row], path: &str| rows.binary_search_by(|row| row.path.as_str().cmp(path));
        for (path, _) in edits {
            if let Ok(at) = place(rows, path) {
                rows.remove(at);
                self.rows.remove(at);
            }
        }
        let ids: HashSet<&[u8]> = ids_in(new_lists.points).collect();
        let mut others = self
            .rows
            .iter()
            .flat_map(|own| ids_in(&self.points[own.points.clone()]));
        if others.any(|id| ids.contains(id)) {
            return None;
        }
        for (row, own) in new.all.iter().zip(&new_lists.rows) {
            let at = place(rows, &row.path).unwrap_or_else(|at| at);
            rows.insert(at, row.clone());
            let is_new = true;
            self.rows.insert(
                at,
                Own {
                    is_new,
                    ..own.clone()
                },
            );
        }
        let mut points = Joined::of(self.points);
        let mut number = 1;
        for at in in_order(rows) {
            let own = &self.rows[at];
            let list = if own.is_new {
                new_lists.points
            } else {
                self.points
            };
            let text = &list[own.points.clone()];
            if !own.is_new && counts_from(text, number) {
                points.old(own.points.clone());
            } else {
                let out = points.fresh();
                let before = out.len();
                renumber(out, text, number);
                rows[at].size.points = out.len() - before;
            }
            number += rows[at].points;
        }
        let mut account = Joined::of(self.account);
        for own in &self.rows {
            match own.is_new {
                false => account.old(own.account.clone()),
                true if own.account.is_empty() => {}
                true => account
                    .fresh()
                    .extend_from_slice(&new_lists.account[own.account.clone()]),
            }
        }
        Some((points.finish(), account.finish()))
    }
}

/// Where the next part of a list stands.
fn next(list: &[u8], at: &mut usize, size: usize) -> Option<Range<usize>> {
    if size > 0 && *at > 0 {
        *at += list[*at..].strip_prefix(b",").map(|_| 1)?;
    }
    let range = *at..at.checked_add(size)?;
    *at = range.end;
    (range.end <= list.len()).then_some(range)
}

/// How long a list is of which each part has a size.
fn length(rows: &[Row], size: impl Fn(&Size) -> usize) -> usize {
    let sizes = rows
        .iter()
        .map(|row| size(&row.size))
        .filter(|size| *size > 0);
    let (count, sum) = sizes.fold((0, 0), |(count, sum), size| (count + 1, sum + size));
    sum + usize::max(count, 1) - 1
}

/// A list that is put together, with the commas between.
struct Joined<'t> {
    /// The old list.
    whole: &'t [u8],
    parts: Parts<'t>,
    /// What comes next of the old list; empty where `text` has something.
    run: Range<usize>,
    /// What comes next that is new.
    text: Vec<u8>,
}

impl<'t> Joined<'t> {
    fn of(whole: &'t [u8]) -> Self {
        Self {
            whole,
            parts: Vec::new(),
            run: 0..0,
            text: Vec::new(),
        }
    }

    /// Adds a part of the old list.
    fn old(&mut self, part: Range<usize>) {
        if part.is_empty() {
            return;
        }
        // They stood so, with their comma.
        if !self.run.is_empty() && part.start == self.run.end + 1 {
            self.run.end = part.end;
            return;
        }
        if !self.fresh().is_empty() {
            self.parts.push(std::mem::take(&mut self.text).into());
        }
        self.run = part;
    }

    /// The place for a part that is new, behind a comma where one is needed.
    fn fresh(&mut self) -> &mut Vec<u8> {
        let run = std::mem::take(&mut self.run);
        if !run.is_empty() {
            self.parts.push(self.whole[run].into());
        }
        if !self.parts.is_empty() || !self.text.is_empty() {
            self.text.push(b',');
        }
        &mut self.text
    }

    fn finish(mut self) -> Parts<'t> {
        if !self.run.is_empty() {
            self.parts.push(self.whole[self.run].into());
        } else if !self.text.is_empty() {
            self.parts.push(self.text.into());
        }
        self.parts
    }
}
