//! Where the points of a plan stand in a file without marks.

use super::planned::Planned;
use super::text::{Place, Put};
use crate::marks;
use crate::model;
use crate::token::{self, Token, TokenKind};

/// The number in `TRACK_ID_7`.
fn number(name: &str) -> u32 {
    name.rsplit('_')
        .next()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_default()
}

/// The places of these points, in the order of the file.
pub(super) fn of(source: &[u8], points: &[Planned]) -> Vec<Place> {
    let inserts = marks::inserts(source);
    let tokens = if inserts.is_empty() {
        Vec::new()
    } else {
        token::scan(source)
    };
    let mut places: Vec<Place> = Vec::with_capacity(points.len());
    let mut wrapped = Vec::new();
    for point in points {
        let number = number(&point.row.name);
        match &point.place {
            model::Place::Before(at) => places.push(match insert_before(&tokens, &inserts, *at) {
                Some(at) => Place {
                    at,
                    put: Put::Insert(number),
                },
                None => Place {
                    at: *at,
                    put: Put::Point(number),
                },
            }),
            model::Place::Each(all) => places.extend(all.iter().map(|&at| Place {
                at,
                put: Put::Point(number),
            })),
            model::Place::Wrap { at, .. } if wrapped.contains(at) => {
                places.push(Place {
                    at: *at,
                    put: Put::Point(number),
                });
            }
            model::Place::Wrap { at, close } => {
                wrapped.push(*at);
                places.push(Place {
                    at: *at,
                    put: Put::Open(number),
                });
                places.push(Place {
                    at: *close,
                    put: Put::Close,
                });
            }
            model::Place::Variable { at, name, .. } => {
                places.push(Place {
                    at: *at,
                    put: Put::Var(number, name.clone()),
                });
            }
        }
    }
    places.sort_by_key(|place| place.at);
    places
}

/// The `+goat:insert` comment between the code before `at` and `at`.
pub(super) fn insert_before(tokens: &[Token], inserts: &[usize], at: usize) -> Option<usize> {
    let before = tokens[..tokens.partition_point(|token| token.span.end <= at)]
        .iter()
        .rfind(|token| !matches!(token.kind, TokenKind::Comment | TokenKind::AutoSemi));
    let from = before.map_or(0, |token| token.span.end);
    inserts
        .iter()
        .copied()
        .find(|&insert| from <= insert && insert < at)
}

/// Whether a `+goat:insert` stands before the place.
pub(super) fn is_requested(source: &[u8], tokens: &[Token], place: &model::Place) -> bool {
    let inserts = marks::inserts(source);
    matches!(place, model::Place::Before(at) if insert_before(tokens, &inserts, *at).is_some())
}

/// Which code a block or a point stands before, whatever white space and comments
/// are between: the start of the next token.
pub(super) fn anchor(tokens: &[Token], at: usize) -> usize {
    let rest = &tokens[tokens.partition_point(|token| token.span.start < at)..];
    let next = rest
        .iter()
        .find(|token| !matches!(token.kind, TokenKind::Comment | TokenKind::AutoSemi));
    next.map_or(usize::MAX, |token| token.span.start)
}
