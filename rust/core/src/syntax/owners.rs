//! Which byte belongs to whom.

use super::file::File;
use crate::model::{Owner, Span};

/// Tokens `first..=last` belong to `owner`, except where a later, inner claim says
/// otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) owner: Owner,
}

/// Turns nested claims into pieces: the innermost claim wins, of equal ones the
/// later. Tokens without white space between them share a piece.
pub(super) fn pieces(file: &File<'_>, mut claims: Vec<Claim>) -> Vec<(Span, Owner)> {
    claims.sort_by_key(|claim| (claim.first, std::cmp::Reverse(claim.last)));
    let mut claims = claims.into_iter().peekable();
    let mut open: Vec<Claim> = Vec::new();
    let mut pieces: Vec<(Span, Owner)> = Vec::new();
    for (at, token) in file.tokens.iter().enumerate() {
        while open.last().is_some_and(|claim| claim.last < at) {
            open.pop();
        }
        while let Some(claim) = claims.next_if(|claim| claim.first <= at) {
            if claim.last >= at {
                open.push(claim);
            }
        }
        let Some(claim) = open.last().filter(|_| token.span.start < token.span.end) else {
            continue;
        };
        match pieces.last_mut() {
            Some((span, owner)) if span.end == token.span.start && *owner == claim.owner => {
                span.end = token.span.end;
            }
            _ => pieces.push((token.span, claim.owner)),
        }
    }
    pieces
}
