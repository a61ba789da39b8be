// Command oracle prints what go/parser and go/ast see in Go files, in the form
// of syntax_oracle.rs. It reads paths from standard input, one per line.
package main

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"sort"
	"strconv"
	"strings"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	for in.Scan() {
		fmt.Fprintf(out, "file %s\n", in.Text())
		for _, line := range inspect(in.Text()) {
			fmt.Fprintln(out, line)
		}
	}
}

type tok struct {
	start, end int
	semicolon  bool
}

// place is where code stands.
type place struct {
	fn    int // start of the function, -1 outside
	name  string
	sig   string // owner of what no statement owns
	block string
	stmt  *stmt
}

type stmt struct {
	kind       string
	start, end int
	block      string
	headerEnd  int
	condition  []string
	literals   []int
	control    bool
	fn         int
}

// verdict is whether the value of a package variable runs code: without types, what may
// panic is open.
type verdict string

const (
	no    verdict = "false"
	maybe verdict = "maybe"
	yes   verdict = "true"
)

func (v verdict) or(other verdict) verdict {
	if v == yes || other == no {
		return v
	}
	return other
}

type walker struct {
	src    []byte
	file   *token.File
	tokens []tok
	owner  []string
	lines  []string
	stmts  []*stmt
	runs   verdict
	varLit *[]int
	hash   uint64 // of kinds and places of tokens
}

func inspect(path string) []string {
	src, err := os.ReadFile(path)
	if err != nil {
		return []string{"unreadable"}
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return []string{"error"}
	}
	w := &walker{src: src, file: fset.File(file.FileStart)}
	w.scan()
	w.top(file)
	w.line("tokens %d %016x", len(w.tokens), w.hash)
	for _, s := range w.stmts {
		w.line("stmt %s %d-%d in %s header %d if %s lits %v control %v",
			s.kind, s.start, s.end, s.block, s.headerEnd, strings.Join(s.condition, ","), s.literals, s.control)
	}
	last := ""
	for i, t := range w.tokens {
		if t.start < t.end && w.owner[i] != last {
			last = w.owner[i]
			w.line("owner %d %s", t.start, last)
		}
	}
	sort.Strings(w.lines)
	return w.lines
}

func (w *walker) line(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

// scan notes the tokens; an automatic semicolon is empty.
func (w *walker) scan() {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(w.src))
	var s scanner.Scanner
	s.Init(file, w.src, nil, 0)
	for {
		pos, t, lit := s.Scan()
		if t == token.EOF {
			break
		}
		start := file.Offset(pos)
		text := lit
		if text == "" || t == token.SEMICOLON {
			text = t.String()
		}
		end := start + len(text)
		if t == token.STRING && lit[0] == '`' {
			// The scanner removes carriage returns.
			end = start + 2 + strings.IndexByte(string(w.src[start+1:]), '`')
		}
		if t == token.SEMICOLON && lit != ";" {
			end = start
			w.note(0, 0, "auto")
		} else {
			w.note(start, end, class(t))
		}
		w.tokens = append(w.tokens, tok{start, end, t == token.SEMICOLON})
	}
	w.owner = make([]string, len(w.tokens))
}

func (w *walker) note(start, end int, class string) {
	for _, b := range []byte(fmt.Sprintf("%d-%d %s\n", start, end, class)) {
		w.hash = (w.hash ^ uint64(b)) * 1099511628211
	}
}

// class is the kind of a token as goat names it.
func class(t token.Token) string {
	switch {
	case t.IsKeyword():
		return "Keyword"
	case t.IsOperator():
		return "Op"
	}
	return map[token.Token]string{
		token.IDENT: "Ident", token.INT: "Int", token.FLOAT: "Float", token.IMAG: "Imag",
		token.CHAR: "Char", token.STRING: "String", token.ILLEGAL: "Illegal",
	}[t]
}

func (w *walker) at(pos token.Pos) int { return w.file.Offset(pos) }

func (w *walker) index(offset int) int {
	return sort.Search(len(w.tokens), func(i int) bool { return w.tokens[i].start >= offset })
}

func (w *walker) paint(start, end int, owner string) {
	for i := w.index(start); i < len(w.tokens) && w.tokens[i].start < end; i++ {
		w.owner[i] = owner
	}
}

// semicolon gives a written semicolon after end to the owner.
func (w *walker) semicolon(end int, owner string) {
	if i := w.index(end); i < len(w.tokens) && w.tokens[i].semicolon && w.tokens[i].start < w.tokens[i].end {
		w.owner[i] = owner
	}
}

func (w *walker) top(file *ast.File) {
	w.line("package %s %d", file.Name.Name, w.at(file.Name.End()))
	w.paint(w.at(file.Package), w.at(file.Name.End()), "package")
	w.semicolon(w.at(file.Name.End()), "package")
	for i, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		w.line("import %d %s", i, path)
	}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			w.funcDecl(decl)
		case *ast.GenDecl:
			w.genDecl(decl)
		}
	}
}

func (w *walker) genDecl(decl *ast.GenDecl) {
	owner := decl.Tok.String()
	if decl.Tok == token.VAR {
		owner = "vargroup"
	}
	start, end := w.at(decl.Pos()), w.at(decl.End())
	w.paint(start, end, owner)
	w.semicolon(end, owner)
	if decl.Tok != token.VAR {
		return
	}
	for _, spec := range decl.Specs {
		spec := spec.(*ast.ValueSpec)
		owner := fmt.Sprintf("var@%d", w.at(spec.Pos()))
		if decl.Lparen.IsValid() {
			start, end = w.at(spec.Pos()), w.at(spec.End())
		}
		w.paint(start, end, owner)
		w.semicolon(end, owner)
		w.varSpec(spec, owner)
	}
}

func (w *walker) varSpec(spec *ast.ValueSpec, owner string) {
	var names []string
	for _, name := range spec.Names {
		names = append(names, name.Name)
	}
	var literals []int
	runs := no
	for i, value := range spec.Values {
		name := names[0]
		if i < len(names) {
			name = names[i]
		}
		w.varLit = &literals
		w.runs = no
		w.expr(value, place{fn: -1, name: name, sig: owner})
		runs = runs.or(w.runs)
		w.varLit = nil
	}
	w.line("var %s %d-%d runs %s lits %v", strings.Join(names, ","), w.at(spec.Pos()), w.at(spec.End()), runs, literals)
}

func (w *walker) funcDecl(decl *ast.FuncDecl) {
	name := decl.Name.Name
	if decl.Recv != nil && len(decl.Recv.List) > 0 {
		name = receiver(decl.Recv.List[0].Type) + "." + name
	}
	start, end := w.at(decl.Pos()), w.at(decl.End())
	sig := fmt.Sprintf("sig@%d", start)
	w.paint(start, end, sig)
	w.semicolon(end, sig)
	sigEnd, body := end, "-"
	if decl.Body != nil {
		sigEnd, body = w.before(w.at(decl.Body.Lbrace)), w.span(decl.Body)
	}
	w.line("func %d %s %d-%d sig %d body %s lit false parent -1 in -", start, name, start, end, sigEnd, body)
	if decl.Body != nil {
		w.body(decl.Body, place{fn: start, name: name}, true)
	}
}

// before is the end of the last token before an offset.
func (w *walker) before(offset int) int { return w.tokens[w.index(offset)-1].end }

func (w *walker) span(node ast.Node) string {
	return fmt.Sprintf("%d-%d", w.at(node.Pos()), w.at(node.End()))
}

func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return "(*" + strings.TrimSuffix(strings.TrimPrefix(receiver(t.X), "(*"), ")") + ")"
	case *ast.ParenExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return "?"
}

func (w *walker) body(block *ast.BlockStmt, p place, declared bool) {
	w.block("Body", block, block.List, p, declared)
}

// block notes a list in braces.
func (w *walker) block(kind string, block *ast.BlockStmt, list []ast.Stmt, p place, braces bool) {
	start, end := w.at(block.Lbrace), w.at(block.Rbrace)+1
	id := fmt.Sprintf("%s@%d", kind, start)
	w.list(kind, start, end, start+1, start+1, start+1, list, p, id)
	if braces {
		w.paint(start, start+1, "brace@"+id)
		w.paint(end-1, end, "brace@"+id)
	}
}

func (w *walker) list(kind string, start, end, open, clauseStart, clauseEnd int, list []ast.Stmt, p place, id string) {
	if p.stmt != nil && kind != "Body" {
		p.stmt.headerEnd = min(p.stmt.headerEnd, start)
	}
	owner := "-"
	if kind != "Body" && p.stmt != nil {
		owner = strconv.Itoa(p.stmt.start)
	}
	p.block = id
	first := open
	for i, s := range list {
		from := len(w.stmts)
		w.stmtIn(s, p)
		if i == 0 && len(w.stmts) > from {
			first = w.stmts[from].start
		}
	}
	w.line("block %s %d-%d func %d owner %s open %d clause %d-%d entry %d", id, start, end, p.fn, owner, open, clauseStart, clauseEnd, first)
}

func (w *walker) newStmt(kind string, start, end int, p place) *stmt {
	s := &stmt{kind: kind, start: start, end: end, block: p.block, headerEnd: end, fn: p.fn}
	w.stmts = append(w.stmts, s)
	return s
}

// stmtIn notes a statement of a list.
func (w *walker) stmtIn(node ast.Stmt, p place) {
	start, end := w.at(node.Pos()), w.at(node.End())
	if labeled, ok := node.(*ast.LabeledStmt); ok {
		s := w.newStmt("Label", start, w.at(labeled.Colon)+1, p)
		w.paint(start, s.end, fmt.Sprintf("label@%d", start))
		switch labeled.Stmt.(type) {
		case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			s.control = true
		}
		w.stmtIn(labeled.Stmt, p)
		return
	}
	if empty, ok := node.(*ast.EmptyStmt); ok {
		if !empty.Implicit {
			w.newStmt("Empty", start, start+1, p)
			w.paint(start, start+1, fmt.Sprintf("stmt@%d", start))
		}
		return
	}
	s := w.newStmt(kind(node), start, end, p)
	owner := fmt.Sprintf("stmt@%d", start)
	w.paint(start, end, owner)
	w.semicolon(end, owner)
	p.stmt, p.sig = s, owner
	w.inside(node, p)
}

func kind(node ast.Stmt) string {
	switch node := node.(type) {
	case *ast.DeclStmt:
		word := node.Decl.(*ast.GenDecl).Tok.String()
		return strings.ToUpper(word[:1]) + word[1:]
	case *ast.ReturnStmt:
		return "Return"
	case *ast.BranchStmt:
		return "Jump"
	case *ast.GoStmt:
		return "Go"
	case *ast.DeferStmt:
		return "Defer"
	case *ast.IfStmt:
		return "If"
	case *ast.ForStmt, *ast.RangeStmt:
		return "For"
	case *ast.SwitchStmt, *ast.TypeSwitchStmt:
		return "Switch"
	case *ast.SelectStmt:
		return "Select"
	case *ast.BlockStmt:
		return "Block"
	case *ast.ExprStmt:
		if call, ok := node.X.(*ast.CallExpr); ok {
			if name, ok := call.Fun.(*ast.Ident); ok && name.Name == "panic" {
				return "Panic"
			}
		}
	}
	return "Simple"
}

// inside walks what a statement holds.
func (w *walker) inside(node ast.Stmt, p place) {
	switch node := node.(type) {
	case *ast.IfStmt:
		w.ifStmt(node, p)
	case *ast.ForStmt:
		w.condition(p, node.Init, node.Cond, node.Post)
		w.block("Loop", node.Body, node.Body.List, p, true)
	case *ast.RangeStmt:
		from := node.Range
		if node.Key != nil {
			from = node.Key.Pos()
			w.expr(node.Key, p)
		}
		if node.Value != nil {
			w.expr(node.Value, p)
		}
		p.stmt.condition = append(p.stmt.condition, fmt.Sprintf("%d-%d", w.at(from), w.at(node.X.End())))
		w.expr(node.X, p)
		w.block("Loop", node.Body, node.Body.List, p, true)
	case *ast.SwitchStmt:
		w.condition(p, node.Init)
		if node.Tag != nil {
			w.part(p, node.Tag)
		}
		w.clauses(node.Body, p)
	case *ast.TypeSwitchStmt:
		w.condition(p, node.Init, node.Assign)
		w.clauses(node.Body, p)
	case *ast.SelectStmt:
		w.clauses(node.Body, p)
	case *ast.BlockStmt:
		p.stmt.headerEnd = p.stmt.start
		w.block("Bare", node, node.List, p, true)
	case *ast.DeclStmt:
		if node.Decl.(*ast.GenDecl).Tok == token.VAR {
			w.expr(node, p)
		}
	default:
		w.expr(node, p)
	}
}

func (w *walker) condition(p place, parts ...ast.Node) {
	for _, part := range parts {
		if part != nil {
			w.part(p, part)
		}
	}
}

func (w *walker) part(p place, node ast.Node) {
	p.stmt.condition = append(p.stmt.condition, w.span(node))
	w.expr(node, p)
}

func (w *walker) ifStmt(node *ast.IfStmt, p place) {
	w.condition(p, node.Init)
	w.part(p, node.Cond)
	w.block("Then", node.Body, node.Body.List, p, true)
	if node.Else == nil {
		return
	}
	start, end := w.at(node.Else.Pos()), w.at(node.Else.End())
	word := w.tokens[w.index(start)-1]
	switch alternative := node.Else.(type) {
	case *ast.BlockStmt:
		w.block("Else", alternative, alternative.List, p, true)
		w.paint(word.start, word.end, fmt.Sprintf("brace@Else@%d", start))
	case *ast.IfStmt:
		id := fmt.Sprintf("ElseIf@%d", start)
		w.line("block %s %d-%d func %d owner %d open %d clause %d-%d entry %d", id, start, end, p.fn, p.stmt.start, start, start, start, start)
		w.paint(word.start, word.end, "brace@"+id)
		p.block = id
		s := w.newStmt("If", start, end, p)
		w.paint(start, end, fmt.Sprintf("stmt@%d", start))
		p.stmt, p.sig = s, fmt.Sprintf("stmt@%d", start)
		w.ifStmt(alternative, p)
	}
}

func (w *walker) clauses(body *ast.BlockStmt, p place) {
	open, end := w.at(body.Lbrace), w.at(body.Rbrace)+1
	p.stmt.headerEnd = min(p.stmt.headerEnd, open)
	ids := []string{}
	for _, clause := range body.List {
		start := w.at(clause.Pos())
		var id string
		switch clause := clause.(type) {
		case *ast.CaseClause:
			id = fmt.Sprintf("Case@%d", start)
			colon := w.at(clause.Colon) + 1
			q := p
			q.sig = "clause@" + id
			w.paint(start, colon, q.sig)
			for _, value := range clause.List {
				w.expr(value, q)
			}
			w.list("Case", start, w.at(clause.End()), colon, start, colon, clause.Body, p, id)
		case *ast.CommClause:
			id = fmt.Sprintf("Comm@%d", start)
			colon := w.at(clause.Colon) + 1
			q := p
			q.sig = "clause@" + id
			w.paint(start, colon, q.sig)
			if clause.Comm != nil {
				w.expr(clause.Comm, q)
			}
			w.list("Comm", start, w.at(clause.End()), colon, start, colon, clause.Body, p, id)
		}
		ids = append(ids, id)
	}
	if len(ids) > 0 {
		w.paint(open, open+1, "brace@"+ids[0])
		w.paint(end-1, end, "brace@"+ids[len(ids)-1])
	}
}

// expr walks an expression or simple statement for literals and calls.
func (w *walker) expr(node ast.Node, p place) {
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr, *ast.TypeAssertExpr, *ast.SliceExpr:
			w.runs = yes
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				w.runs = yes
			}
		case *ast.IndexExpr, *ast.IndexListExpr, *ast.SelectorExpr, *ast.StarExpr, *ast.BinaryExpr, *ast.MapType:
			w.runs = w.runs.or(maybe)
		case *ast.FuncLit:
			w.literal(n, p)
			return false
		}
		return true
	})
}

func (w *walker) literal(n *ast.FuncLit, p place) {
	start := w.at(n.Pos())
	runs, varLit := w.runs, w.varLit
	in := "-"
	if p.stmt != nil {
		in = strconv.Itoa(p.stmt.start)
		p.stmt.literals = append(p.stmt.literals, start)
		p.stmt.headerEnd = min(p.stmt.headerEnd, w.at(n.Body.Lbrace))
	} else if varLit != nil {
		*varLit = append(*varLit, start)
	}
	w.varLit = nil
	w.line("func %d %s %d-%d sig %d body %s lit true parent %d in %s", start, p.name, start, w.at(n.End()),
		w.before(w.at(n.Body.Lbrace)), w.span(n.Body), p.fn, in)
	w.body(n.Body, place{fn: start, name: p.name}, false)
	w.runs, w.varLit = runs, varLit
}
