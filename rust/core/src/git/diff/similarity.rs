//! How much of one content is found in another, as git's rename detection counts it.
//!
//! Described in git's `diffcore` documentation: a content is cut into chunks (a line,
//! or 64 bytes of a longer one), each chunk is hashed, and the score is the share of
//! bytes in chunks that both contents have.

/// A score of 100 %.
pub(in crate::git) const MAX_SCORE: u64 = 60_000;
/// Chunks are hashed into this many values.
const HASH_BASE: u32 = 107_927;
/// Longest chunk.
const CHUNK: usize = 64;
/// git looks for NUL in this many bytes to tell binary from text.
const BINARY_PREFIX: usize = 8000;

/// The chunks of a content: `(hash, bytes)`, ascending by hash.
#[derive(Debug)]
pub(in crate::git) struct Chunks {
    counts: Vec<(u32, u64)>,
    size: u64,
}

/// Whether git takes a content for binary.
pub(in crate::git) fn is_binary(data: &[u8]) -> bool {
    memchr::memchr(0, &data[..data.len().min(BINARY_PREFIX)]).is_some()
}

impl Chunks {
    /// Cuts and hashes. In text the CR of a CRLF does not count.
    ///
    /// A last piece that neither ends in a line feed nor fills a chunk is left out,
    /// as git did before 2.44; it can only matter to a file without a final
    /// line feed whose score lies on the edge.
    pub fn new(data: &[u8], text: bool) -> Self {
        let mut hashes = Vec::with_capacity(data.len() / 24 + 1);
        let (mut a, mut b) = (0_u32, 0_u32);
        let mut len = 0_usize;
        for (at, &byte) in data.iter().enumerate() {
            if text && byte == b'\r' && data.get(at + 1) == Some(&b'\n') {
                continue;
            }
            let carried = a;
            a = (a << 7) ^ (b >> 25);
            b = (b << 7) ^ (carried >> 25);
            a = a.wrapping_add(u32::from(byte));
            len += 1;
            if len == CHUNK || byte == b'\n' {
                let hash = a.wrapping_add(b.wrapping_mul(0x61)) % HASH_BASE;
                hashes.push((hash, len as u64));
                (a, b, len) = (0, 0, 0);
            }
        }
        Self {
            counts: sum_equal(hashes),
            size: data.len() as u64,
        }
    }

    /// The score of `self` as source of `target`, 0 to [`MAX_SCORE`].
    pub fn score(&self, target: &Self) -> u64 {
        let max = self.size.max(target.size);
        if target.size == 0 || max == 0 {
            return 0;
        }
        self.copied(target) * MAX_SCORE / max
    }

    fn copied(&self, target: &Self) -> u64 {
        let mut theirs = target.counts.iter().peekable();
        let mut total = 0;
        for &(hash, count) in &self.counts {
            while theirs.next_if(|&&(other, _)| other < hash).is_some() {}
            if let Some(&(_, other)) = theirs.next_if(|&&(other, _)| other == hash) {
                total += count.min(other);
            }
        }
        total
    }
}

fn sum_equal(mut hashes: Vec<(u32, u64)>) -> Vec<(u32, u64)> {
    hashes.sort_unstable_by_key(|&(hash, _)| hash);
    hashes.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    hashes
}

/// Whether sizes alone leave room for a score of `minimum`.
pub(in crate::git) const fn sizes_allow(source: u64, target: u64, minimum: u64) -> bool {
    let (small, large) = if source < target {
        (source, target)
    } else {
        (target, source)
    };
    large * (MAX_SCORE - minimum) >= (large - small) * MAX_SCORE
}
