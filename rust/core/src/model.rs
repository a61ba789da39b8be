//! Value types that the stages hand to each other.
//!
//! Units, everywhere in this crate: a *byte offset* is 0-based; a [`Span`] is a
//! half-open range of byte offsets; a *line* is 1-based; a *column* is a 1-based
//! count of bytes, as the Go compiler counts it. Paths are slash paths relative
//! to the repository's root.

use serde::{Deserialize, Serialize};

/// A half-open range of byte offsets, `start..end`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The range `start..end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Whether the byte at `at` lies inside.
    #[must_use]
    pub const fn contains(self, at: usize) -> bool {
        self.start <= at && at < self.end
    }

    /// Whether `other` lies inside (or is equal).
    #[must_use]
    pub const fn encloses(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether the two share a byte.
    #[must_use]
    pub const fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The bytes of `source` in this range.
    #[must_use]
    pub fn of(self, source: &[u8]) -> &[u8] {
        source.get(self.start..self.end).unwrap_or_default()
    }
}

/// A place in a file: 1-based line, 1-based byte column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// 1-based line.
    pub line: u32,
    /// 1-based byte column.
    pub column: u32,
}

/// Byte offsets of the starts of a file's lines, to turn offsets into positions.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    starts: Vec<usize>,
    len: usize,
}

impl Lines {
    /// Indexes `source`. A line ends after its `\n`; a last line without one
    /// counts, an empty rest after the last `\n` does not.
    #[must_use]
    pub fn new(source: &[u8]) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', source).map(|at| at + 1));
        if source.is_empty() || source.last() == Some(&b'\n') {
            starts.pop();
        }
        Self {
            starts,
            len: source.len(),
        }
    }

    /// How many lines the file has.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.starts.len() as u32
    }

    /// The line that holds the byte at `at` (the last line for the end of file).
    #[must_use]
    pub fn line(&self, at: usize) -> u32 {
        self.starts.partition_point(|&start| start <= at).max(1) as u32
    }

    /// The position of the byte at `at`.
    #[must_use]
    pub fn position(&self, at: usize) -> Position {
        let line = self.line(at);
        let start = self.starts.get(line as usize - 1).copied().unwrap_or(0);
        Position {
            line,
            column: (at - start) as u32 + 1,
        }
    }

    /// The bytes of a 1-based line, its line end included.
    #[must_use]
    pub fn span(&self, line: u32) -> Span {
        let index = line as usize;
        let start = index
            .checked_sub(1)
            .and_then(|i| self.starts.get(i))
            .copied();
        let end = self.starts.get(index).copied().unwrap_or(self.len);
        Span::new(start.unwrap_or(self.len), end)
    }
}

/// One hunk of `git diff -U0`. Lines are 1-based; where a side has no lines its
/// start is the line *after which* the hunk stands (0 at the top), as git prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hunk {
    /// First removed line, or the line after which lines were added.
    pub old_start: u32,
    /// How many lines were removed.
    pub old_lines: u32,
    /// First added line, or the line after which lines were removed.
    pub new_start: u32,
    /// How many lines were added.
    pub new_lines: u32,
}

/// A changed file: both contents (marks removed) and what git says of them.
#[derive(Clone, Debug, Default)]
pub struct FileChange {
    /// Path in the release; for a deleted file, the path in the base.
    pub path: String,
    /// Path in the base where it differs (a rename).
    pub old_path: Option<String>,
    /// Content in the base; `None` for an added file.
    pub old: Option<Vec<u8>>,
    /// Content in the release as it would be compiled; `None` for a deleted file.
    pub new: Option<Vec<u8>>,
    /// Hunks of the oracle command, in order.
    pub hunks: Vec<Hunk>,
    /// The lines of the universe (1-based, ascending): the lines that the hunks
    /// add, or at precision 1 those that blame gives to the release's commits.
    pub lines: Vec<u32>,
    /// Why the content could not be read, if it could not.
    pub unreadable: Option<String>,
    /// What names both contents, where the comparison told.
    pub key: Option<Key>,
    /// Whether the contents were left unread, because hunks were kept under `key`: they
    /// are empty then.
    pub unread: bool,
}

/// A hash that stands for contents and for what is made of them.
pub type Key = [u8; 16];

/// What a compound statement or a block is, as far as planning cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StmtKind {
    /// Anything that needs no other kind: expression, assignment, send, …
    Simple,
    /// `var x = …` inside a body.
    Var,
    /// `const …` inside a body: not executable.
    Const,
    /// `type …` inside a body: not executable.
    Type,
    /// `return`
    Return,
    /// `break`, `continue`, `goto`, `fallthrough`
    Jump,
    /// A call of `panic` as a statement.
    Panic,
    /// `go f()`
    Go,
    /// `defer f()`
    Defer,
    /// `if`, an `else if` included.
    If,
    /// `for`, with or without `range`.
    For,
    /// `switch`, over values or types.
    Switch,
    /// `select`
    Select,
    /// A label; the labelled statement is the next one in the list.
    Label,
    /// A bare block `{ … }`.
    Block,
    /// `;` alone.
    Empty,
}

/// What a statement list belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockKind {
    /// Body of a function, method or literal.
    Body,
    /// First branch of an `if`.
    Then,
    /// `else { … }`
    Else,
    /// `else if …`: a list of one statement without braces. A point at its start
    /// needs braces around the statement (`else {POINT; if … {…}}`).
    ElseIf,
    /// Body of a `for`.
    Loop,
    /// List of a `case` or `default` clause of a `switch`.
    Case,
    /// List of a `case` or `default` clause of a `select`.
    Comm,
    /// A bare block.
    Bare,
}

/// Index into [`FileSyntax::funcs`].
pub type FuncId = usize;
/// Index into [`FileSyntax::blocks`].
pub type BlockId = usize;
/// Index into [`FileSyntax::stmts`].
pub type StmtId = usize;

/// A function declaration, method or function literal.
#[derive(Clone, Debug)]
pub struct Func {
    /// `F`, `(*T).M`, `T.M`; a literal has the name of the declaration around it
    /// (the variable's name at package level).
    pub name: String,
    /// Whole declaration or literal.
    pub span: Span,
    /// From `func` to just before the body's `{` (to the end without a body).
    pub signature: Span,
    /// The body; `None` for a function without one (assembly, linkname) and for a
    /// lost one ([`FileSyntax::errors`]).
    pub body: Option<BlockId>,
    /// The innermost function around a literal.
    pub parent: Option<FuncId>,
    /// The innermost statement around a literal.
    pub parent_stmt: Option<StmtId>,
    /// Whether it is a literal.
    pub literal: bool,
    /// Whether a directive forbids points: `//go:nosplit` and what implies it
    /// (`//go:systemstack`, `//go:nowritebarrier…`, `//go:yeswritebarrierrec`). A
    /// literal takes it from the function around it.
    pub nosplit: bool,
}

/// A statement list.
#[derive(Clone, Debug)]
pub struct Block {
    /// The function whose code it is.
    pub func: FuncId,
    /// What it belongs to.
    pub kind: BlockKind,
    /// The statement that owns it (`if`, `for`, …); `None` for a function's body.
    pub owner: Option<StmtId>,
    /// `{ … }` with its braces; for a clause from `case` to the end of its list;
    /// for [`BlockKind::ElseIf`] the inner `if` statement.
    pub span: Span,
    /// Where text can be inserted so that it runs first: the start of the first
    /// statement, else just after `{` or `:`.
    pub entry: usize,
    /// Where the list starts: just after `{` or `:` ([`BlockKind::ElseIf`]: the `if`).
    pub open: usize,
    /// For a clause `case … :` / `default:` with its colon, else empty.
    pub clause: Span,
    /// What of the clause runs whenever its statement is entered, if it does more than to
    /// name something: the channel and value of a `select`'s, the first expression of a
    /// `switch`.
    pub operands: Option<Span>,
    /// What of the clause does more than to name something and runs wherever no earlier
    /// expression fitted: whether this clause is taken or not.
    pub later: Option<Span>,
    /// The statements, in order. A label is a statement of its own, directly
    /// before the statement that it labels.
    pub stmts: Vec<StmtId>,
}

/// A statement.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// The list it stands in.
    pub block: BlockId,
    /// What it is.
    pub kind: StmtKind,
    /// The whole statement, without label, nested blocks included.
    pub span: Span,
    /// Where its own code ends before the first nested block, clause list or function
    /// literal's body: the offset of that `{`, else `span.end`.
    pub header_end: usize,
    /// Nested statement lists, in order (bodies and clauses; not those of literals).
    pub blocks: Vec<BlockId>,
    /// Function literals directly inside (not inside another literal or block); those
    /// in a clause's `case … :` are its `switch`'s or `select`'s.
    pub literals: Vec<FuncId>,
    /// What decides where it goes: the condition of `if` and `for` (init, condition
    /// and post; the range clause), the tag of `switch` with its init. Empty for others.
    pub condition: Vec<Span>,
    /// The post statement of a `for`.
    pub post: Option<Span>,
    /// Whether it is a `switch` over types.
    pub of_types: bool,
    /// For a [`StmtKind::Label`]: whether the labelled statement is a `for`, `switch`
    /// or `select`, so that nothing may stand between label and statement.
    pub labels_control: bool,
}

/// Where a byte of a file belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Own code of a statement (header, literals' signatures, closing parentheses).
    Stmt(StmtId),
    /// `case … :` or `default:`, literals' signatures and braces inside included.
    Clause(BlockId),
    /// Brace of a block, or the `else` before it; a `switch` or `select` has its
    /// first clause's at its `{` and its last clause's at its `}` (without a clause
    /// they are its own code). Braces of a literal's body belong to the statement or
    /// variable around the literal.
    Brace(BlockId),
    /// A label with its colon.
    Label(StmtId),
    /// From `func` to before the body, or a function without body.
    Signature(FuncId),
    /// `package x`
    Package,
    /// `import …`
    Import,
    /// A type declaration at package level.
    Type,
    /// A constant declaration at package level.
    Const,
    /// A variable declaration at package level; index into [`FileSyntax::vars`].
    Var(usize),
    /// Keyword or parentheses of a grouped `var ( … )` at package level.
    VarGroup,
    /// Inside a part that does not parse.
    Error,
}

/// One variable specification at package level.
#[derive(Clone, Debug)]
pub struct VarSpec {
    /// Names on the left, `_` included.
    pub names: Vec<String>,
    /// The whole specification.
    pub span: Span,
    /// Whether the initialiser runs code of its own outside literals: it calls something,
    /// or it may panic.
    pub runs: bool,
    /// Function literals directly inside.
    pub literals: Vec<FuncId>,
}

/// A part that the grammar could not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The damaged part: the function around it, or the part itself outside functions.
    pub span: Span,
    /// The first damaged place.
    pub at: usize,
    /// The function that is lost, if one is (no points may stand in it).
    pub func: Option<FuncId>,
}

/// What one Go file holds, as spans.
#[derive(Clone, Debug, Default)]
pub struct FileSyntax {
    /// Package name.
    pub package: String,
    /// Just after the package clause's name.
    pub package_end: usize,
    /// Import paths, unquoted, in order.
    pub imports: Vec<String>,
    /// The comments that cgo reads as C: the one directly above each `import "C"`.
    pub cgo_preambles: Vec<Span>,
    /// Functions in source order, literals included, but not those in constants and
    /// types: they never run.
    pub funcs: Vec<Func>,
    /// Statement lists.
    pub blocks: Vec<Block>,
    /// Statements.
    pub stmts: Vec<Stmt>,
    /// Package-level variable specifications.
    pub vars: Vec<VarSpec>,
    /// Parts that do not parse.
    pub errors: Vec<SyntaxError>,
    /// How many of them are no declaration of a function, type, variable or constant.
    pub outside: usize,
    /// Non-overlapping, ascending pieces of the file and their owners; gaps
    /// (white space, comments) belong to nobody.
    pub owners: Vec<(Span, Owner)>,
}

impl FileSyntax {
    /// The owner of the byte at `at`.
    #[must_use]
    pub fn owner(&self, at: usize) -> Option<Owner> {
        let index = self.owners.partition_point(|(span, _)| span.end <= at);
        self.owners
            .get(index)
            .filter(|(span, _)| span.contains(at))
            .map(|&(_, owner)| owner)
    }
}

/// What a line of the universe holds, as far as its tokens tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LineKind {
    /// White space only.
    Blank,
    /// Nothing but comments.
    Comment,
    /// A directive (`//go:…`, `// +build`, `//line`, `//export`, `//extern`).
    Directive,
    /// The same tokens as before: only the layout or a comment is new.
    Format,
    /// Code that is new, or that code was removed from.
    Code,
}

/// Removed lines that need a word of their own in the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// The release's line after which the removed text stood (0 at the top).
    pub after: u32,
    /// First removed line in the base.
    pub old_start: u32,
    /// How many lines were removed.
    pub old_lines: u32,
    /// What they held: [`LineKind::Code`] if any of them held code.
    pub kind: LineKind,
    /// Whether the hunk only deletes, so that the account has an entry for it. The
    /// others are code that a comment or a blank line took the place of: they get
    /// a point and their new lines stand in the account.
    pub entry: bool,
}

/// How the tokens of a changed file differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// Every line of the universe, ascending.
    pub lines: Vec<(u32, LineKind)>,
    /// The release's tokens that are new or stand beside removed ones, ascending.
    pub touched: Vec<Span>,
    /// Removed lines, in order.
    pub deletions: Vec<Deletion>,
    /// What it does beyond its own lines.
    pub effects: Vec<Effect>,
}

/// What a hunk does to lines that it leaves as they are, because comment marks, quotes or
/// a build constraint came or went in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The lines of the universe that did it: those of the hunk without code.
    pub lines: Vec<u32>,
    /// The hunk's own entry among the deletions, if it only deletes.
    pub deletion: Option<usize>,
    /// Lines outside the universe that are code now and were none.
    pub live: Vec<u32>,
    /// Entries among the deletions: code that is none any more.
    pub dead: Vec<usize>,
}

/// How finely points are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Granularity {
    /// One per changed statement.
    Line,
    /// One per run of changed statements.
    Patch,
    /// One per basic block that holds a change.
    Scope,
    /// One per function that holds a change.
    Func,
}

impl Granularity {
    /// The word of goat.yaml and of the plan.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Patch => "patch",
            Self::Scope => "scope",
            Self::Func => "func",
        }
    }

    /// The granularity of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Line, Self::Patch, Self::Scope, Self::Func]
            .into_iter()
            .find(|g| g.as_str() == word)
    }
}

/// Why a point stands where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PointKind {
    /// Changed code.
    Change,
    /// A first-level branch of a changed condition.
    Branch,
    /// Removed code.
    Deletion,
    /// A person asked for it (`+goat:insert`).
    Manual,
}

impl PointKind {
    /// The word of the plan.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Branch => "branch",
            Self::Deletion => "deletion",
            Self::Manual => "manual",
        }
    }
}

/// How a point is put into the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// A statement directly before this byte.
    Before(usize),
    /// One statement in several places, of which each leads to the code and no code but
    /// they: before each of these bytes, ascending, one at least.
    Each(Vec<usize>),
    /// `else if …`: `{POINT; ` before the byte at `at`, `}` before the one at `close`.
    Wrap {
        /// First byte of the inner `if`.
        at: usize,
        /// One past the inner statement.
        close: usize,
    },
    /// A variable declaration directly after a package-level initialiser.
    Variable {
        /// One past the specification.
        at: usize,
        /// The variable that the point refers to, so that Go orders it after it.
        name: String,
        /// Whether the specification stands in `var ( … )`.
        grouped: bool,
    },
}

impl Place {
    /// Where the text goes.
    #[must_use]
    pub const fn at(&self) -> usize {
        match self {
            Self::Before(at) | Self::Wrap { at, .. } | Self::Variable { at, .. } => *at,
            Self::Each(all) => match all.as_slice() {
                [first, ..] => *first,
                [] => 0,
            },
        }
    }

    /// Everywhere that text goes for it.
    #[must_use]
    pub fn all(&self) -> Vec<usize> {
        match self {
            Self::Each(all) => all.clone(),
            _ => vec![self.at()],
        }
    }
}

/// A track point of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Content id (16 characters).
    pub id: String,
    /// Where it goes.
    pub place: Place,
    /// Why it is there.
    pub kind: PointKind,
    /// The code that it vouches for.
    pub region: Span,
    /// Name of the function (or variable) around it.
    pub func: String,
    /// Whether that is a function: the linker drops those that nothing calls.
    pub declared: bool,
    /// Which form it takes.
    pub form: Form,
}

/// Which form a point takes, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Whether the point calls on the first hit; else it stores.
    pub exact: bool,
    /// Why.
    pub reason: FormReason,
    /// The least that the function costs in the compiler's count, where it was
    /// counted. The compiler inlines up to 80.
    pub cost: Option<usize>,
    /// Whether the function may be one of those into which the compiler inlines the
    /// smallest only.
    pub large: bool,
    /// Whether the function has so many points that each of them must be cheap for the
    /// compiler: it is a call of a function that holds the guard.
    pub crowded: bool,
}

/// Why a point has its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FormReason {
    /// Exact: it stands after a package-level variable, in no function.
    Variable,
    /// Exact: functions like this one (`init`, `main`, without a body) are not inlined.
    Starter,
    /// Exact: `//go:noinline` stands above the function.
    Noinline,
    /// Exact: the function holds a statement that is never inlined.
    Statement,
    /// Exact: the function costs too much to be inlined.
    TooLarge,
    /// Exact, with the guard in a function of its own: the function is not inlined and has
    /// more points than the compiler takes guards for.
    Crowded,
    /// Store: the compiler may inline the function.
    MayInline,
}

impl FormReason {
    /// The word for it in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Variable => "variable",
            Self::Starter => "starter",
            Self::Noinline => "noinline",
            Self::Statement => "statement",
            Self::TooLarge => "too_large",
            Self::Crowded => "crowded",
            Self::MayInline => "may_inline",
        }
    }
}

/// Why a line is not tracked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// Not executable: white space.
    Blank,
    /// Not executable: comments.
    Comment,
    /// Not executable: the same tokens as before.
    Format,
    /// Not executable: the package clause.
    Package,
    /// Not executable: an import.
    Import,
    /// Not executable: a type declaration.
    Type,
    /// Not executable: a constant declaration.
    Const,
    /// Not executable: a variable whose initialiser runs no code.
    Var,
    /// Not executable: a function's signature.
    Signature,
    /// Not executable: a brace, an `else`, a lone semicolon.
    Brace,
    /// Not executable: a label.
    Label,
    /// Not executable: a directive.
    Directive,
    /// Untracked: a generated file.
    Generated,
    /// Untracked: excluded by a build constraint.
    BuildConstraint,
    /// Untracked: the configuration ignores the file.
    Ignored,
    /// Untracked: `//goat:ignore`.
    IgnoreTag,
    /// Untracked: a module that the plan does not cover.
    OtherModule,
    /// Untracked: vendored code.
    Vendor,
    /// Untracked: the part does not parse.
    SyntaxError,
    /// Untracked: the rewritten file does not parse.
    RewriteRejected,
    /// Untracked: a function without a body.
    AssemblyStub,
    /// Untracked: no code may be added to the function.
    Nosplit,
    /// Untracked: C code before `import "C"`.
    CgoPreamble,
    /// Untracked: not part of this build.
    NotInBuild,
    /// Untracked: an initialiser without a name to refer to.
    BlankVariable,
    /// Untracked: the file cannot be read.
    Unreadable,
    /// Untracked: the file is too large.
    TooLarge,
    /// Untracked: the linker dropped the function.
    LinkRemoved,
}

impl Reason {
    /// The word of the account.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Comment => "comment",
            Self::Format => "format",
            Self::Package => "package",
            Self::Import => "import",
            Self::Type => "type",
            Self::Const => "const",
            Self::Var => "var",
            Self::Signature => "signature",
            Self::Brace => "brace",
            Self::Label => "label",
            Self::Directive => "directive",
            Self::Generated => "generated",
            Self::BuildConstraint => "build_constraint",
            Self::Ignored => "ignored",
            Self::IgnoreTag => "ignore_tag",
            Self::OtherModule => "other_module",
            Self::Vendor => "vendor",
            Self::SyntaxError => "syntax_error",
            Self::RewriteRejected => "rewrite_rejected",
            Self::AssemblyStub => "assembly_stub",
            Self::Nosplit => "nosplit",
            Self::CgoPreamble => "cgo_preamble",
            Self::NotInBuild => "not_in_build",
            Self::BlankVariable => "blank_variable",
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
            Self::LinkRemoved => "link_removed",
        }
    }

    /// Whether there is nothing to run on such a line.
    #[must_use]
    pub const fn not_executable(self) -> bool {
        matches!(
            self,
            Self::Blank
                | Self::Comment
                | Self::Format
                | Self::Package
                | Self::Import
                | Self::Type
                | Self::Const
                | Self::Var
                | Self::Signature
                | Self::Brace
                | Self::Label
                | Self::Directive
        )
    }
}

/// What the account says of a line or a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Tracked by these points: indices into the file's points, ascending.
    Points(Vec<usize>),
    /// Not tracked, and why.
    Not(Reason),
}

impl Verdict {
    /// The points; none where it is not tracked.
    #[must_use]
    pub fn points(&self) -> &[usize] {
        match self {
            Self::Points(points) => points,
            Self::Not(_) => &[],
        }
    }
}

/// The points and the account of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePoints {
    /// In order of their place.
    pub points: Vec<Point>,
    /// Every line of the universe.
    pub lines: Vec<(u32, Verdict)>,
    /// Every hunk that only deletes.
    pub deletions: Vec<(Deletion, Verdict)>,
    /// Lines without code that brought other lines to life or silenced them, with the
    /// points for these, ascending.
    pub effects: Vec<(u32, Vec<usize>)>,
    /// Lines with a case expression that also runs where its clause is not taken,
    /// ascending.
    pub untaken: Vec<u32>,
}

/// Text to insert before an original byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Offset of the original byte.
    pub at: usize,
    /// What to insert.
    pub text: String,
    /// What to insert where only exact points are right; `None` if it is the same.
    pub exact: Option<String>,
    /// What to insert instead of `text` where the inliner is told to count nothing
    /// for it; `None` if it is the same.
    pub free: Option<String>,
    /// What to insert where both hold; `None` if it is what the others give.
    pub free_exact: Option<String>,
}
