//! Which file of a crate names what stands in which other file.
//!
//! Read from the tokens, without a compiler: paths that start at `crate`, `self`, `super`,
//! at a module of the file's own or at a name that a `use` brought in. A `pub use` counts
//! only where the file uses the name itself; who takes the name from there depends on the
//! file that defines it. Tests within files are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module's path from the crate's root.
type Name = Vec<String>;

/// The files of a crate by their path below its root, and for each the files that
/// it names, with one of the names.
pub type Graph = BTreeMap<String, BTreeMap<String, String>>;

/// The graph of the crate whose sources lie below `root`.
pub fn of_crate(root: &Path) -> Graph {
    let mut files = Vec::new();
    collect(root, root, &mut files);
    of_files(&files)
}

/// The graph of files given by path (with `/`) and text.
pub fn of_files(files: &[(String, String)]) -> Graph {
    let modules: BTreeMap<Name, Module> = files
        .iter()
        .map(|(path, text)| (module_name(path), Module::read(path, text)))
        .collect();
    let krate = Crate { modules };
    krate
        .modules
        .iter()
        .filter(|(name, _)| krate.is_declared(name))
        .map(|(name, module)| (module.file.clone(), krate.named_by(name, module)))
        .collect()
}

/// The groups of files that reach each other, each with what ties it.
pub fn circles(graph: &Graph) -> Vec<String> {
    let reach: BTreeMap<&str, BTreeSet<&str>> = graph
        .keys()
        .map(|file| (file.as_str(), reachable(graph, file)))
        .collect();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    for file in graph.keys().map(String::as_str) {
        if seen.contains(file) || !reach[file].contains(file) {
            continue;
        }
        let group: BTreeSet<&str> = reach[file]
            .iter()
            .copied()
            .filter(|other| reach[other].contains(file))
            .collect();
        let ties = group.iter().flat_map(|&from| {
            let named = graph[from]
                .iter()
                .filter(|(to, _)| group.contains(to.as_str()));
            named.map(move |(to, what)| format!("  {from} names `{what}` of {to}"))
        });
        let mut lines = vec![format!("a circle of {} files:", group.len())];
        lines.extend(ties);
        found.push(lines.join("\n"));
        seen.extend(group);
    }
    found
}

/// What can be reached from a file, itself only where a path leads back.
fn reachable<'g>(graph: &'g Graph, file: &str) -> BTreeSet<&'g str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = vec![file];
    while let Some(at) = open.pop() {
        for next in graph.get(at).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    reached
}

struct Crate {
    modules: BTreeMap<Name, Module>,
}

impl Crate {
    /// Whether every module above declares the next one; test modules are not declared.
    fn is_declared(&self, name: &[String]) -> bool {
        (0..name.len()).all(|at| {
            let above = self.modules.get(&name[..at]);
            above.is_none_or(|module| module.children.contains(&name[at]))
        })
    }

    fn named_by(&self, name: &Name, module: &Module) -> BTreeMap<String, String> {
        let mut named = BTreeMap::new();
        let imports = module.imports.iter().filter(|import| !import.public);
        let paths = imports.map(|import| &import.path).chain(&module.paths);
        for path in paths {
            if let Some(file) = self
                .resolve(name, path, 0)
                .filter(|file| *file != module.file)
            {
                named.entry(file).or_insert_with(|| path.join("::"));
            }
        }
        named
    }

    /// The file that defines what a path in a module stands for.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<String> {
        let module = self.modules.get(from)?;
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.walk(&[], rest, depth),
            "self" => self.walk(from, rest, depth),
            "super" => self.resolve_above(from, rest, depth),
            _ => {
                if let Some(import) = module.import(first).filter(|i| i.path != path) {
                    return self.resolve_import(from, import, rest, depth);
                }
                let child = module.children.contains(first);
                child.then(|| self.walk(from, path, depth)).flatten()
            }
        }
    }

    fn resolve_above(&self, from: &[String], rest: &[String], depth: usize) -> Option<String> {
        let (_, above) = from.split_last()?;
        if rest.first().is_some_and(|next| next == "super") {
            return self.resolve_above(above, &rest[1..], depth);
        }
        self.walk(above, rest, depth)
    }

    fn resolve_import(
        &self,
        from: &[String],
        import: &Import,
        rest: &[String],
        depth: usize,
    ) -> Option<String> {
        if depth > 16 {
            return None;
        }
        let path: Vec<String> = import.path.iter().chain(rest).cloned().collect();
        self.resolve(from, &path, depth + 1)
    }

    /// Follows a path from a module; `None` where it ends at a module.
    fn walk(&self, at: &[String], rest: &[String], depth: usize) -> Option<String> {
        let module = self.modules.get(at)?;
        let (next, after) = rest.split_first()?;
        if module.children.contains(next) {
            let below: Name = at.iter().chain([next]).cloned().collect();
            return self.walk(&below, after, depth);
        }
        match module.import(next) {
            Some(import) => self.resolve_import(at, import, after, depth),
            None => Some(module.file.clone()),
        }
    }
}

/// One name that a `use` brings in.
struct Import {
    name: String,
    path: Name,
    public: bool,
}

/// What a file declares and names.
#[derive(Default)]
struct Module {
    file: String,
    children: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths outside `use`, single names included.
    paths: BTreeSet<Name>,
}

impl Module {
    fn read(file: &str, text: &str) -> Self {
        let words = without_tests(words(text));
        let mut module = Self {
            file: file.to_owned(),
            ..Self::default()
        };
        let mut at = 0;
        while at < words.len() {
            at = module.item(&words, at);
        }
        module
    }

    fn import(&self, name: &str) -> Option<&Import> {
        self.imports.iter().find(|import| import.name == name)
    }

    /// Takes in what stands at a word, and gives the word after it.
    fn item(&mut self, words: &[String], at: usize) -> usize {
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        if word(at) == "mod" && word(at + 2) == ";" {
            self.children.insert(word(at + 1).to_owned());
            return at + 3;
        }
        if word(at) == "use" {
            let public = at > 0 && matches!(word(at - 1), "pub" | ")");
            return self.import_tree(words, at + 1, &[], public) + 1;
        }
        if !is_name(word(at)) || at > 0 && word(at - 1) == "." {
            return at + 1;
        }
        let mut path = vec![words[at].clone()];
        let mut end = at + 1;
        while word(end) == "::" && is_name(word(end + 1)) {
            path.push(words[end + 1].clone());
            end += 2;
        }
        self.paths.insert(path);
        end
    }

    /// Reads a tree of a `use`; gives the place of the `,`, `}` or `;` after it.
    fn import_tree(
        &mut self,
        words: &[String],
        mut at: usize,
        prefix: &[String],
        public: bool,
    ) -> usize {
        let word = |at: usize| words.get(at).map_or(";", String::as_str);
        let mut path = prefix.to_vec();
        loop {
            match word(at) {
                "{" => {
                    at += 1;
                    while !matches!(word(at), "}" | ";") {
                        at = self.import_tree(words, at, &path, public);
                        at += usize::from(word(at) == ",");
                    }
                    return at + 1;
                }
                "::" => at += 1,
                "," | "}" | ";" => break,
                "as" => {
                    self.bring_in(word(at + 1), &path, public);
                    return at + 2;
                }
                "self" if !path.is_empty() => at += 1,
                name => {
                    path.push(name.to_owned());
                    at += 1;
                }
            }
        }
        let name = path.last().cloned().unwrap_or_default();
        self.bring_in(&name, &path, public);
        at
    }

    fn bring_in(&mut self, name: &str, path: &[String], public: bool) {
        self.imports.push(Import {
            name: name.to_owned(),
            path: path.to_vec(),
            public,
        });
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The words of a source: names, `::`, and other signs one by one; no comments, no texts.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest);
        if length > 0 {
            rest = &rest[length..];
            continue;
        }
        let length = if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        words.push(rest[..length].to_owned());
        rest = &rest[length..];
    }
    words
}

/// The length of the blank, comment, text or lifetime at the start.
fn skipped(rest: &str) -> usize {
    let to = |from: usize, end: &str| {
        rest[from..]
            .find(end)
            .map_or(rest.len(), |at| from + at + end.len())
    };
    let after_b = rest.strip_prefix('b').unwrap_or(rest);
    let b = rest.len() - after_b.len();
    if let Some(raw) = after_b.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            return to(b + hashes + 2, &format!("\"{}", "#".repeat(hashes)));
        }
    }
    if let Some(inside) = after_b.strip_prefix('"') {
        return b + 1 + quoted(inside, '"');
    }
    if let Some(inside) = after_b.strip_prefix('\'') {
        let mut chars = inside.chars();
        let (one, two) = (chars.next(), chars.next());
        if one == Some('\\') || two == Some('\'') {
            return b + 1 + quoted(inside, '\'');
        }
        return b
            + 1
            + inside
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(0);
    }
    if rest.starts_with("//") {
        return to(0, "\n");
    }
    if rest.starts_with("/*") {
        return to(0, "*/");
    }
    rest.len() - rest.trim_start().len()
}

fn quoted(inside: &str, end: char) -> usize {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        if !escaped && c == end {
            return at + 1;
        }
        escaped = !escaped && c == '\\';
    }
    inside.len()
}

/// Leaves out `#[cfg(test)] mod …`, with its body or its declaration.
fn without_tests(words: Vec<String>) -> Vec<String> {
    const TEST: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let Some(at) = words.windows(TEST.len()).position(|window| window == TEST) else {
        return words;
    };
    let mut end = at + TEST.len() + 1;
    if words.get(end).is_some_and(|word| word == "{") {
        let mut depth = 0_usize;
        while let Some(word) = words.get(end) {
            depth += usize::from(word == "{");
            depth -= usize::from(word == "}");
            if depth == 0 {
                break;
            }
            end += 1;
        }
    }
    let mut kept = words[..at].to_vec();
    kept.extend(without_tests(
        words.get(end + 1..).unwrap_or_default().to_vec(),
    ));
    kept
}

fn module_name(path: &str) -> Name {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    let parts = stem.split('/').filter(|part| *part != "lib");
    parts.map(str::to_owned).collect()
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a readable source folder") {
        let path = entry.expect("a directory entry").path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let below = path.strip_prefix(root).expect("below the root");
            let name = below.to_string_lossy().replace('\\', "/");
            found.push((name, fs::read_to_string(&path).expect("a readable source")));
        }
    }
}
