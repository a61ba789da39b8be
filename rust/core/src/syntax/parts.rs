//! Which declarations have to be read where not all of them matter.

use std::collections::HashSet;

use super::chunks::{Chunk, ChunkKind};
use super::file::File;
use super::header::function_name;
use crate::model::Span;

/// Places of a file, in order.
pub(super) struct Places(Vec<Span>);

impl Places {
    pub(super) fn new(places: &[Span]) -> Self {
        let mut places = places.to_vec();
        places.sort_unstable();
        Self(places)
    }

    /// Whether a part of the file has a byte of one of the places, or inside it the place
    /// that an empty one is.
    pub(super) fn touch(&self, part: Span) -> bool {
        let from = self.0.partition_point(|place| place.end < part.start);
        let near = self.0[from..].iter().take_while(|p| p.start <= part.end);
        near.into_iter().any(|place| touches(part, *place))
    }
}

/// For each chunk whether it is a declaration that one of the places touches.
pub(super) fn touched(file: &File<'_>, chunks: &[Chunk], wanted: &Places) -> Vec<bool> {
    let is_touched = |chunk: &Chunk| {
        chunk.kind == ChunkKind::Declaration && wanted.touch(file.span(chunk.first, chunk.end))
    };
    chunks.iter().map(is_touched).collect()
}

/// Adds the chunks that have a name in common with a chosen one, for what bears one name
/// is told apart by counting.
pub(super) fn add_namesakes(file: &File<'_>, chunks: &[Chunk], chosen: &mut [bool]) {
    let touched = chunks.iter().zip(&*chosen).filter(|(_, chosen)| **chosen);
    let names: HashSet<String> = touched
        .filter_map(|(chunk, _)| shared_name(file, chunk))
        .collect();
    if names.is_empty() {
        return;
    }
    for (chunk, chosen) in chunks.iter().zip(chosen) {
        *chosen = *chosen || shared_name(file, chunk).is_some_and(|name| names.contains(&name));
    }
}

fn touches(part: Span, place: Span) -> bool {
    if place.start == place.end {
        part.start <= place.start && place.start <= part.end
    } else {
        part.overlaps(place)
    }
}

/// The name of a declaration that others of the file may bear as well. Of variables only
/// `_` is such a name, which functions may have, too.
fn shared_name(file: &File<'_>, chunk: &Chunk) -> Option<String> {
    if file.is(chunk.first, b"func") {
        return function_name(file, chunk.first);
    }
    let blank = |at: usize| file.is_ident(at) && file.text(at) == b"_";
    let is_var = file.is(chunk.first, b"var");
    (is_var && (chunk.first..=chunk.last).any(blank)).then(|| "_".to_owned())
}
