//! The Go files that `goat track` generates: what `goat.Track` is, which points
//! there are, and per main the file that starts the runtime.

use std::fmt::Write as _;

/// A point, as the runtime's table has it.
#[derive(Clone, Debug)]
pub struct Row {
    /// `TRACK_ID_7`
    pub name: String,
    /// Content id.
    pub id: String,
    /// `change`, `deletion`, …
    pub kind: &'static str,
    /// Relative to the repository's root.
    pub file: String,
    /// Function or variable around it.
    pub func: String,
    /// First line and column, last line and column.
    pub range: [u32; 4],
}

/// The points of one package.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Import path.
    pub import_path: String,
    /// In counter order.
    pub rows: Vec<Row>,
}

/// A tracked main, or the tests of a package.
#[derive(Clone, Debug)]
pub struct Component {
    /// Import path.
    pub import_path: String,
    /// Indices into [`Module::packages`] of what it links.
    pub packages: Vec<usize>,
}

impl Component {
    fn numbers(&self) -> String {
        let packages: Vec<String> = self.packages.iter().map(usize::to_string).collect();
        packages.join(", ")
    }
}

/// What the generated package of one module holds.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// Package name.
    pub name: String,
    /// `key=value` lines for the runtime, without component and mode.
    pub identity: Vec<(&'static str, String)>,
    /// Whether every hit counts.
    pub count: bool,
    /// Packages with points, in order of their import path.
    pub packages: Vec<Rows>,
    /// The module's tracked mains.
    pub components: Vec<Component>,
    /// What test binaries may link of its packages.
    pub tests: Vec<Component>,
}

/// `goat_generated.go`
#[must_use]
pub fn generated(module: &Module) -> String {
    let mut text = format!("\n//go:build go1.21\n\npackage {}\n\n", module.name);
    text.push_str("import (\n\t\"os\"\n\t\"runtime/debug\"\n\t\"strconv\"\n\t\"strings\"\n\t\"sync/atomic\"\n)\n\n");
    ids(&mut text, module);
    components(&mut text, module);
    tests(&mut text, module);
    text.push_str(if module.count { TRACK_COUNT } else { TRACK });
    text.push_str(TRACK_INIT);
    table(&mut text, module);
    text.push_str(START);
    text
}

fn ids(text: &mut String, module: &Module) {
    text.push_str("// One number per track point: Track(TRACK_ID_n) stands where point n is.\n");
    text.push_str("const (\n\tTRACK_ID_START = iota\n");
    for row in module.packages.iter().flat_map(|package| &package.rows) {
        let place = format!("{}:{} {}", row.file, row.range[0], row.func);
        let place: String = place.chars().filter(|c| !c.is_control()).collect();
        let _ = writeln!(text, "\t// {}\n\t{}", place.trim_end(), row.name);
    }
    text.push_str("\tTRACK_ID_END\n)\n\n");
}

fn components(text: &mut String, module: &Module) {
    if !module.components.is_empty() {
        text.push_str("// One number per tracked main.\nconst (\n");
        for (index, component) in module.components.iter().enumerate() {
            let start = if index == 0 { " = iota" } else { "" };
            let _ = writeln!(
                text,
                "\t// {}\n\tCOMPONENT_{index}{start}",
                component.import_path
            );
        }
        text.push_str(")\n\n");
    }
    text.push_str("var goatComponents = []struct {\n\tname     string\n\tpackages []int\n}{\n");
    for component in &module.components {
        let (name, packages) = (quote(&component.import_path), component.numbers());
        let _ = writeln!(text, "\t{{{name}, []int{{{packages}}}}},");
    }
    text.push_str("}\n\n");
}

fn tests(text: &mut String, module: &Module) {
    text.push_str("// By import path of what is tested: the packages that the tests link.\n");
    text.push_str("var goatTests = map[string][]int{\n");
    for tests in &module.tests {
        let (name, packages) = (quote(&tests.import_path), tests.numbers());
        let _ = writeln!(text, "\t{name}: {{{packages}}},");
    }
    text.push_str("}\n\n");
}

fn table(text: &mut String, module: &Module) {
    let identity: String = module
        .identity
        .iter()
        .fold(String::new(), |all, (key, value)| {
            all + key + "=" + &quote(value) + "\n"
        });
    let _ = writeln!(text, "const goatIdentity = {}\n", quote(&identity));
    text.push_str("var goatPackages = []Entry{\n");
    let mut first = 1;
    for package in &module.packages {
        let (path, count) = (quote(&package.import_path), package.rows.len());
        let _ = writeln!(
            text,
            "\t{{{path}, func() (*uint32, int, *func(*uint32)) {{ return &goatCounters[{first}], {count}, &goatHook }}, \"\" +"
        );
        first += count;
        for (index, row) in package.rows.iter().enumerate() {
            let last = if index + 1 == count { "}," } else { " +" };
            let _ = writeln!(text, "\t\t{}{last}", quote(&meta(row, module.count)));
        }
    }
    text.push_str("}\n\n");
}

/// The runtime's line for a point (docs/plan-format.md).
fn meta(row: &Row, count: bool) -> String {
    let form = if count { "count" } else { "exact" };
    let [line, column, end_line, end_column] = row.range;
    let (id, name, kind) = (&row.id, &row.name, row.kind);
    let (file, func) = (quote(&row.file), quote(&row.func));
    format!(
        "{id}\t{name}\t{kind}\t{form}\t{line}\t{column}\t{end_line}\t{end_column}\t{file}\t{func}\n"
    )
}

const TRACK: &str = "\
// Track notes that point id was reached.
func Track(id int) {
	if uint(id) < TRACK_ID_END && atomic.LoadUint32(&goatCounters[id]) == 0 {
		goatHit(id)
	}
}

";

const TRACK_COUNT: &str = "\
// Track counts that point id was reached.
func Track(id int) {
	if uint(id) < TRACK_ID_END {
		goatHit(id)
	}
}

";

const TRACK_INIT: &str = "\
// TrackInit is Track for the initialiser of a package-level variable, which Go
// runs before it because of the first argument.
func TrackInit(variable interface{}, id int) bool {
	Track(id)
	return variable != nil
}

var (
	goatCounters [TRACK_ID_END]uint32
	goatHook     func(*uint32)
)

//go:norace
//go:noinline
func goatHit(id int) {
	if id == TRACK_ID_START {
		return
	}
	if hook := goatHook; hook != nil {
		hook(&goatCounters[id])
	}
	atomic.StoreUint32(&goatCounters[id], 1)
}

";

const START: &str = "\
// Table is what the runtime of a component's binary starts with; nothing in a
// test binary, where the runtime has started already. More holds the packages of
// other modules that the binary links.
func Table(component int, more ...[]Entry) []Entry {
	mode := goatMode()
	if mode == \"test\" || component < 0 || component >= len(goatComponents) {
		return nil
	}
	chosen := goatComponents[component]
	table := []Entry{goatFirst(chosen.name, mode)}
	for _, index := range chosen.packages {
		table = append(table, goatPackages[index])
	}
	for _, packages := range more {
		table = append(table, packages...)
	}
	return table
}

// Packages gives the points of the named packages.
func Packages(paths ...string) []Entry {
	var found []Entry
	for _, entry := range goatPackages {
		for _, path := range paths {
			if entry.Pkg == path {
				found = append(found, entry)
			}
		}
	}
	return found
}

func init() {
	if goatMode() != \"test\" {
		return
	}
	table := []Entry{goatFirst(goatProgram(), \"test\")}
	linked, known := goatTests[goatProgram()]
	for _, index := range linked {
		table = append(table, goatPackages[index])
	}
	if !known {
		table = append(table, goatPackages...)
	}
	Start(table, nil)
}

func goatFirst(component, mode string) Entry {
	meta := goatIdentity + \"component=\" + strconv.Quote(component) + \"\\nmode=\" + strconv.Quote(mode) + \"\\n\"
	return Entry{Meta: meta}
}

// goatMode is how the binary was built.
func goatMode() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return \"exe\"
	}
	if strings.HasSuffix(info.Path, \".test\") || strings.HasSuffix(strings.TrimSuffix(os.Args[0], \".exe\"), \".test\") {
		return \"test\"
	}
	for _, setting := range info.Settings {
		if setting.Key == \"-buildmode\" && (strings.HasPrefix(setting.Value, \"c-\") || setting.Value == \"plugin\") {
			return setting.Value
		}
	}
	return \"exe\"
}

// goatProgram is the import path of the package under test.
func goatProgram() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return strings.TrimSuffix(info.Path, \".test\")
	}
	return \"\"
}
";

/// What a hook file needs to know.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Name in the package clause, nearly always `main`.
    pub package: String,
    /// Import path of the module's generated package.
    pub runtime: String,
    /// Whether the HTTP server is linked in.
    pub server: bool,
    /// Number of the component.
    pub component: usize,
    /// Generated packages of other modules, with the packages to take from them.
    pub others: Vec<(String, Vec<String>)>,
    /// Makes names that nothing in the package has.
    pub prefix: String,
    /// Under which build constraints the package has files: a hook alone is no program.
    pub constraint: Option<String>,
}

/// `goat_main.go`
#[must_use]
pub fn hook(hook: &Hook) -> String {
    let Hook {
        package,
        runtime,
        prefix,
        component,
        ..
    } = hook;
    let constraint = match &hook.constraint {
        Some(constraint) => format!("go1.21 && ({constraint})"),
        None => "go1.21".into(),
    };
    let mut text = format!(
        "\n//go:build {constraint}\n\npackage {package}\n\nimport (\n\t{prefix} \"{runtime}\"\n"
    );
    let mut table = format!("{prefix}.Table({prefix}.COMPONENT_{component}");
    for (index, (path, packages)) in hook.others.iter().enumerate() {
        let _ = writeln!(text, "\t{prefix}_{index} \"{path}\"");
        let packages: Vec<String> = packages.iter().map(|path| quote(path)).collect();
        let _ = write!(
            table,
            ", {prefix}_{index}.Packages({})",
            packages.join(", ")
        );
    }
    let start = if hook.server {
        let _ = writeln!(text, "\t{prefix}_server \"{runtime}/server\"");
        format!("{prefix}_server")
    } else {
        prefix.clone()
    };
    let _ = write!(
        text,
        ")\n\nfunc init() {{ {start}.Start({table}), nil) }}\n"
    );
    text
}

/// A Go string literal, as `strconv.Quote` writes it for the characters that matter.
#[must_use]
pub fn quote(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            c if c.is_control() || c == '\u{feff}' => {
                let _ = write!(text, "\\U{:08x}", c as u32);
            }
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
