package main

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"sort"
)

// source is one Go file as go/parser and go/scanner see it: an opinion on
// "executable" that shares no code with goat's core.
type source struct {
	fset       *token.FileSet
	file       *token.File
	executable []bool          // per byte: own code of a statement
	tokens     map[int][]int   // line -> offsets of its tokens, closers left out
	starts     []int           // offsets of statements, ascending
	labelled   map[string]int  // label of a for, switch or select: offset of that statement
	gone       map[string]bool // labels that a goto names
	clauses    map[int]int     // offset of a `case` or `default`: that of its colon
	posts      map[int]bool    // offsets of the post statements of loops, for which cover has no counter
	literals   map[int]int     // offset of the body of a function literal: that of its end
}

// parseSource reads a file; a file that Go cannot parse is an error.
func parseSource(path string) (*source, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	s := &source{fset: fset, file: fset.File(tree.Pos()), executable: make([]bool, len(text)+1), tokens: map[int][]int{}, clauses: map[int]int{}, literals: map[int]int{}, posts: map[int]bool{}, labelled: map[string]int{}, gone: map[string]bool{}}
	ast.Inspect(tree, s.paint)
	sort.Ints(s.starts)
	s.scan(text)
	return s, nil
}

func (s *source) offset(pos token.Pos) int { return s.file.Offset(pos) }

func (s *source) fill(from, to token.Pos, value bool) {
	for i := s.offset(from); i < s.offset(to) && i < len(s.executable); i++ {
		s.executable[i] = value
	}
}

// paint marks a statement's bytes as executable and takes out what is only
// structure; ast.Inspect comes to children later, so they have the last word.
func (s *source) paint(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.BlockStmt:
		s.fill(n.Pos(), n.End(), false)
	case *ast.DeclStmt:
		decl, ok := n.Decl.(*ast.GenDecl)
		s.fill(n.Pos(), n.End(), ok && decl.Tok == token.VAR)
		s.start(n)
	case *ast.EmptyStmt:
	case *ast.FuncLit:
		s.literals[s.offset(n.Body.Pos())] = s.offset(n.Body.End())
	case *ast.LabeledStmt:
		s.fill(n.Pos(), n.Colon+1, false)
		switch n.Stmt.(type) {
		case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			s.labelled[n.Label.Name] = s.offset(n.Stmt.Pos())
		}
	case *ast.BranchStmt:
		if n.Tok == token.GOTO {
			s.gone[n.Label.Name] = true
		}
		s.fill(n.Pos(), n.End(), true)
		s.start(n)
	case *ast.CaseClause:
		s.clause(n.Case, n.Colon)
	case *ast.CommClause:
		s.clause(n.Case, n.Colon)
	case *ast.ForStmt:
		if n.Post != nil {
			s.posts[s.offset(n.Post.Pos())] = true
		}
		s.fill(n.Pos(), n.End(), true)
		s.start(n)
	case *ast.IfStmt:
		s.fill(n.Pos(), n.End(), true)
		if n.Else != nil {
			s.fill(n.Body.End(), n.Else.Pos(), false)
		}
		s.start(n)
	case ast.Stmt:
		s.fill(n.Pos(), n.End(), true)
		s.start(n)
	}
	return true
}

func (s *source) clause(start, colon token.Pos) {
	s.fill(start, colon+1, true)
	s.clauses[s.offset(start)] = s.offset(colon)
}

// header finds the last clause of which `case …:` has a part on a line: its offset and
// that of its colon.
func (s *source) header(line int) (start, colon int, found bool) {
	last := -1
	for start, end := range s.clauses {
		if s.line(start) <= line && line <= s.line(end) && start > last {
			last, colon, found = start, end, true
		}
	}
	return last, colon, found
}

// passes tells whether cmd/cover misses what goes to the statement at an offset: its counter
// stands before the label.
func (s *source) passes(at int) bool {
	for label, stmt := range s.labelled {
		if stmt == at && s.gone[label] {
			return true
		}
	}
	return false
}

func (s *source) start(n ast.Node) { s.starts = append(s.starts, s.offset(n.Pos())) }

// scan notes where tokens stand. A token over several lines stands on each.
func (s *source) scan(text []byte) {
	var sc scanner.Scanner
	sc.Init(token.NewFileSet().AddFile("", -1, len(text)), text, nil, 0)
	for {
		pos, tok, lit := sc.Scan()
		switch tok {
		case token.EOF:
			return
		case token.SEMICOLON, token.LBRACE, token.RBRACE, token.RPAREN, token.RBRACK, token.COMMA, token.ELSE:
			continue
		}
		at := int(pos) - 1
		first, last := s.line(at), s.line(at+max(len(lit), 1)-1)
		for line := first; line <= last; line++ {
			s.tokens[line] = append(s.tokens[line], at)
		}
	}
}

func (s *source) line(offset int) int {
	return s.file.Line(s.file.Pos(min(offset, s.file.Size())))
}

// runs tells whether the line holds a token of an executable statement.
func (s *source) runs(line int) bool {
	for _, at := range s.tokens[line] {
		if s.executable[at] {
			return true
		}
	}
	return false
}

// at turns a line and a 1-based byte column into an offset; -1 if there is none.
func (s *source) at(line, column int) int {
	if line < 1 || line > s.file.LineCount() {
		return -1
	}
	return s.offset(s.file.LineStart(line)) + column - 1
}

// starting tells whether a statement begins on a line.
func (s *source) starting(line int) bool {
	from := s.at(line, 1)
	to := len(s.executable)
	if line < s.file.LineCount() {
		to = s.at(line+1, 1)
	}
	return from >= 0 && s.startsBetween(from, to)
}

// startsBetween tells whether a statement begins in from <= offset < to.
func (s *source) startsBetween(from, to int) bool {
	i := sort.SearchInts(s.starts, from)
	return i < len(s.starts) && s.starts[i] < to
}
