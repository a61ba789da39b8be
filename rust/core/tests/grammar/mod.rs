//! Go programs drawn from a grammar, and edits of them: labels and `goto`, `select`,
//! post statements, closures, code that goes into comments and comes out. The same seed
//! draws the same program for ever.
#![expect(clippy::format_push_string, reason = "a test may allocate")]

/// A generator of numbers that no library changes.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides
    }
}

/// A statement: texts around statement lists, of which there is one less.
struct Node {
    texts: Vec<String>,
    lists: Vec<Vec<Node>>,
    hidden: Hidden,
}

/// How a statement stands in a comment.
#[derive(Clone, Copy, PartialEq)]
enum Hidden {
    No,
    Lines,
    Marks,
    Beside,
}

struct Grammar {
    dice: Dice,
    labels: usize,
}

/// A program and an edit of it.
pub fn pair(seed: u64) -> (String, String) {
    let mut grammar = Grammar {
        dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
        labels: 0,
    };
    let mut functions: Vec<Vec<Node>> = (0..5).map(|_| grammar.list(3)).collect();
    let base = program(&functions);
    for body in &mut functions {
        grammar.edit(body, 2);
    }
    (base, program(&functions))
}

const HEADS: [&str; 5] = [
    "func f(a, b int) int {",
    "func (t *box) do(a, b int) (out int) {",
    "func g[T ~int](a, b T) T {",
    "var h = func(a, b int) int {",
    "func init() {\n\ta, b := 1, 2",
];

fn program(functions: &[Vec<Node>]) -> String {
    let mut out = "package p\n\ntype box struct{ n int }\n\nvar c = make(chan int, 1)\n".to_owned();
    for (index, (head, body)) in HEADS.iter().zip(functions).enumerate() {
        out += &format!("\n{head}\n");
        write(&mut out, body, 1);
        out += if index == 4 {
            "\t_, _ = a, b\n}\n"
        } else {
            "\treturn a + b\n}\n"
        };
    }
    out
}

fn write(out: &mut String, list: &[Node], depth: usize) {
    for node in list {
        let mut text = String::new();
        write_node(&mut text, node, depth, node.hidden != Hidden::No);
        match node.hidden {
            Hidden::No => *out += &text,
            Hidden::Marks => *out += &format!("\t/*\n{text}\t*/\n"),
            Hidden::Beside => *out += &format!("/* {} */\n", text.trim_end()),
            Hidden::Lines => {
                for line in text.lines() {
                    *out += &format!("//{line}\n");
                }
            }
        }
    }
}

/// Comments do not nest: what is hidden inside a comment stands as it is.
fn write_node(out: &mut String, node: &Node, depth: usize, shown: bool) {
    for (index, text) in node.texts.iter().enumerate() {
        for line in text.lines() {
            *out += &format!("{}{line}\n", "\t".repeat(depth));
        }
        let Some(list) = node.lists.get(index) else {
            continue;
        };
        if shown {
            for inner in list {
                write_node(out, inner, depth + 1, true);
            }
        } else {
            write(out, list, depth + 1);
        }
    }
}

impl Grammar {
    fn name(&mut self) -> &'static str {
        ["a", "b"][self.dice.roll(2)]
    }

    fn value(&mut self) -> String {
        let (v, w) = (self.name(), self.name());
        match self.dice.roll(5) {
            0 => format!("f({v}, func() int {{ return {w} }}())"),
            1 => format!("[]int{{1, {v}}}[{w}&1]"),
            2 => format!("f({v},\n\t{w} + {})", self.dice.roll(9)),
            3 => format!("(&box{{n: {v}}}).do({w}, 1)"),
            _ => format!("{v} + {}", self.dice.roll(9)),
        }
    }

    fn condition(&mut self) -> String {
        match self.dice.roll(3) {
            0 => format!(
                "{} > {} &&\n\t{} < 7",
                self.name(),
                self.dice.roll(9),
                self.name()
            ),
            1 => format!("func() bool {{ return {} == 2 }}()", self.name()),
            _ => format!("{} != {}", self.name(), self.dice.roll(9)),
        }
    }

    fn list(&mut self, depth: usize) -> Vec<Node> {
        (0..=self.dice.roll(3))
            .map(|_| self.statement(depth))
            .collect()
    }

    fn lists(&mut self, count: usize, depth: usize) -> Vec<Vec<Node>> {
        (0..count).map(|_| self.list(depth)).collect()
    }

    fn statement(&mut self, depth: usize) -> Node {
        let texts = if depth == 0 || self.dice.roll(3) == 0 {
            vec![self.simple()]
        } else {
            self.compound()
        };
        let lists = self.lists(texts.len() - 1, depth.saturating_sub(1));
        let hidden = match self.dice.roll(12) {
            0 => self.way(),
            _ => Hidden::No,
        };
        Node {
            texts,
            lists,
            hidden,
        }
    }

    fn way(&mut self) -> Hidden {
        [Hidden::Lines, Hidden::Marks, Hidden::Beside][self.dice.roll(3)]
    }

    fn simple(&mut self) -> String {
        let (v, w) = (self.name(), self.name());
        match self.dice.roll(10) {
            0 => "a, b = b, a".to_owned(),
            1 => format!("if {v} > 3 {{ {v}++; {w}-- }}"),
            2 => format!("defer func() {{ {v}++ }}()"),
            3 => format!("go func(n int) {{ c <- n }}(f({v}, 2))"),
            4 => format!(
                "{{\n\tconst k = 3\n\ttype local struct{{ n int }}\n\tvar x, y = {v}, local{{n: k}}.n\n\t_, _ = x, y\n}}"
            ),
            5 => format!(
                "switch x := any({v}).(type) {{\ncase int:\n\t{w} += x\ncase string, []byte:\n}}"
            ),
            6 => format!("select {{ case c <- f({v}, 1): default: }}"),
            7 => format!("if {} {{\n\tpanic({v})\n}}", self.condition()),
            8 => format!("{v}++; {w} = {}", self.value()),
            _ => format!("{v} = {}", self.value()),
        }
    }

    fn compound(&mut self) -> Vec<String> {
        self.labels += 1;
        let (label, v, w) = (format!("l{}", self.labels), self.name(), self.name());
        let (one, two) = (self.condition(), self.condition());
        match self.dice.roll(13) {
            0 => vec![
                format!("if {one} {{"),
                format!("}} else if {two} {{"),
                "} else {".into(),
                "}".into(),
            ],
            1 => vec![
                format!("for i := 0;\n\ti < {};\n\ti++ {{", self.dice.roll(9)),
                format!("\tif {one} {{ continue }}\n}}"),
            ],
            2 => vec![
                format!("for _, x := range []int{{1, {v}}} {{\n\t{w} += x"),
                "}".into(),
            ],
            3 => vec![
                format!("{label}:\nfor {{\n\tif {one} {{ break {label} }}"),
                format!("\tcontinue {label}\n}}"),
            ],
            4 => vec![
                format!("{{\n{label}:\n\tfor {v} < 3 {{\n\t\t{v}++"),
                format!("\t}}\n\tif {one} {{ goto {label} }}\n}}"),
            ],
            5 => vec![
                format!("{{\n\tif {one} {{ goto {label} }}\n\t{{"),
                format!("\t}}\n{label}:\n\tswitch {v} {{\n\tcase f({w}, 1):"),
                "\t}\n}".into(),
            ],
            6 => vec![
                format!(
                    "{{\n{label}:\n\tselect {{\n\tcase c <- f({v},\n\t\t{}):",
                    self.dice.roll(9)
                ),
                "\tdefault:".into(),
                format!("\t\tif {one} {{ goto {label} }}\n\t}}\n}}"),
            ],
            7 => vec![
                format!("switch {v} {{\ncase 1,\n\tf({w}, 2):"),
                "\tfallthrough\ncase 3:".into(),
                "default:".into(),
                "}".into(),
            ],
            8 => vec![
                format!("switch {{\ncase {one}:"),
                format!("case {two}:"),
                "}".into(),
            ],
            9 => vec![
                format!("select {{\ncase []int{{1, 2}}[f({v}, 1)&1] = <-c:"),
                "case x, ok := <-c:\n\t_, _ = x, ok".into(),
                "}".into(),
            ],
            10 => vec![
                "defer func() {\n\tif r := recover(); r != nil { a++ }".into(),
                "}()".into(),
            ],
            11 => vec![
                format!("{v} = func(a, b int) int {{"),
                format!("\treturn func() int {{\n\t\t{w}++"),
                "\t\treturn a\n\t}()\n}(1, 2)".into(),
            ],
            _ => vec!["f(func() int {".into(), "\treturn 1\n}(), 2)".into()],
        }
    }

    /// Takes statements away, adds some, changes numbers, and moves code into comments
    /// and out of them.
    fn edit(&mut self, list: &mut Vec<Node>, depth: usize) {
        let mut out = Vec::new();
        for mut node in list.drain(..) {
            for inner in &mut node.lists {
                self.edit(inner, depth.saturating_sub(1));
            }
            match self.dice.roll(14) {
                0 => continue,
                1 => out.push(self.statement(depth)),
                2 | 3 => {
                    node.hidden = match node.hidden {
                        Hidden::No => self.way(),
                        _ => Hidden::No,
                    };
                }
                4 | 5 => {
                    for text in &mut node.texts {
                        *text = text
                            .replace('2', "4")
                            .replace("i++", "i += 1")
                            .replace("< 3", "< 5");
                    }
                }
                _ => {}
            }
            out.push(node);
        }
        *list = out;
    }
}
