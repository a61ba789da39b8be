//! From the bytes on disk to the bytes that git compares (`git add` without the add).

use crate::git::repo::Repo;
use crate::git::repo::attributes::{PathAttributes, Text};
use crate::git::repo::settings::AutoCrlf;

/// Counts that tell text from binary, as git's conversion takes them.
#[derive(Default)]
struct Census {
    lone_cr: usize,
    crlf: usize,
    nul: usize,
    printable: usize,
    other: usize,
}

impl Repo {
    /// What git would store for `disk`, or why that cannot be said here.
    pub(in crate::git) fn to_git(
        &self,
        path: &str,
        disk: &[u8],
    ) -> Result<Option<Vec<u8>>, String> {
        let attributes = self.attributes.of(path);
        self.refuse(&attributes)?;
        let line_ends = self.line_ends(&attributes, path, disk);
        let source = line_ends.as_deref().unwrap_or(disk);
        let ident = if attributes.ident {
            without_ident(source)
        } else {
            None
        };
        Ok(ident.or(line_ends))
    }

    /// Drivers run programs and encodings need tables: neither is done here.
    fn refuse(&self, attributes: &PathAttributes) -> Result<(), String> {
        if let Some(name) = attributes
            .filter
            .as_ref()
            .filter(|f| self.settings.filters.contains(f))
        {
            return Err(format!(
                "git filters it with the driver {name:?}, which goat does not run"
            ));
        }
        match attributes.encoding.as_deref() {
            Some(name)
                if !name.eq_ignore_ascii_case("utf-8") && !name.eq_ignore_ascii_case("utf8") =>
            {
                Err(format!(
                    "its working-tree-encoding is {name}, which Go does not compile"
                ))
            }
            _ => Ok(()),
        }
    }

    fn line_ends(&self, attributes: &PathAttributes, path: &str, disk: &[u8]) -> Option<Vec<u8>> {
        let auto = match (attributes.text, self.settings.auto_crlf) {
            (Text::Unset, _) | (Text::Unspecified, AutoCrlf::False) => return None,
            (Text::Set, _) => false,
            (Text::Auto | Text::Unspecified, _) => true,
        };
        let census = Census::of(disk);
        if census.crlf == 0 {
            return None;
        }
        if !auto {
            return Some(without_cr(disk));
        }
        let keep = census.is_binary() || self.has_crlf_in_index(path);
        (!keep).then(|| disk.iter().copied().filter(|&byte| byte != b'\r').collect())
    }

    /// A file that already has CRLF in the index keeps its line ends under `auto`.
    fn has_crlf_in_index(&self, path: &str) -> bool {
        let Ok(index) = self.index() else {
            return false;
        };
        let entries = &index.entries;
        let first = entries.partition_point(|entry| entry.path.as_slice() < path.as_bytes());
        let of_path = entries[first..]
            .iter()
            .take_while(|e| e.path == path.as_bytes());
        let blob = of_path.into_iter().find(|e| e.stage == 0 || e.stage == 2);
        let data = blob.and_then(|entry| self.store.blob(entry.entry.id).ok());
        data.is_some_and(|data| {
            let census = Census::of(&data);
            census.crlf > 0 && !census.is_binary()
        })
    }
}

impl Census {
    fn of(data: &[u8]) -> Self {
        let mut census = Self::default();
        let mut bytes = data.iter().peekable();
        while let Some(&byte) = bytes.next() {
            match byte {
                b'\r' if bytes.next_if_eq(&&b'\n').is_some() => census.crlf += 1,
                b'\r' => census.lone_cr += 1,
                b'\n' => {}
                0x08 | 0x09 | 0x0c | 0x1b => census.printable += 1,
                0 => {
                    census.nul += 1;
                    census.other += 1;
                }
                1..=31 | 127 => census.other += 1,
                _ => census.printable += 1,
            }
        }
        // A final control-Z is how old systems end a text.
        census.other -= usize::from(data.last() == Some(&0x1a));
        census
    }

    const fn is_binary(&self) -> bool {
        self.lone_cr > 0 || self.nul > 0 || self.printable >> 7 < self.other
    }
}

fn without_cr(data: &[u8]) -> Vec<u8> {
    let keep = |&(at, &byte): &(usize, &u8)| byte != b'\r' || data.get(at + 1) != Some(&b'\n');
    data.iter()
        .enumerate()
        .filter(keep)
        .map(|(_, &byte)| byte)
        .collect()
}

/// `$Id: …$` becomes `$Id$`; `None` where nothing does.
fn without_ident(data: &[u8]) -> Option<Vec<u8>> {
    let mut out: Option<Vec<u8>> = None;
    let mut done = 0;
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&data[at..], b"$Id:") {
        let start = at + found + 4;
        let Some(len) = memchr::memchr(b'$', &data[start..]) else {
            break;
        };
        if data[start..start + len].contains(&b'\n') {
            at = start;
            continue;
        }
        let out = out.get_or_insert_with(Vec::new);
        out.extend_from_slice(&data[done..start - 1]);
        out.push(b'$');
        at = start + len + 1;
        done = at;
    }
    out.map(|mut out| {
        out.extend_from_slice(&data[done..]);
        out
    })
}

#[cfg(test)]
mod tests {
    use super::{Census, without_cr, without_ident};

    #[test]
    fn ident_is_collapsed_on_one_line_only() {
        assert_eq!(
            without_ident(b"a $Id: abc $ b").as_deref(),
            Some(&b"a $Id$ b"[..])
        );
        assert_eq!(without_ident(b"a $Id$ b"), None);
        assert_eq!(
            without_ident(b"$Id: x\n$Id: y $"),
            Some(b"$Id: x\n$Id$".to_vec())
        );
    }

    #[test]
    fn only_cr_before_lf_goes() {
        assert_eq!(without_cr(b"a\r\nb\rc\r\r\n"), b"a\nb\rc\r\n");
    }

    #[test]
    fn lone_cr_and_nul_make_binary() {
        assert!(Census::of(b"a\rb").is_binary());
        assert!(Census::of(b"a\0b").is_binary());
        assert!(!Census::of(b"a\r\nb\n").is_binary());
        assert!(!Census::of(b"a\x1a").is_binary());
    }
}
