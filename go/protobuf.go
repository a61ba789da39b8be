package goat

import "context"

// ProtobufOptions say what [CompareProtobuf] compares.
type ProtobufOptions struct {
	// Roots are the directories that are compared, from the repository's root: DIR, or
	// PREFIX=DIR where import paths have something in front. Parts of DIR may hold globs.
	Roots []string
	// Imports are further directories in which imports are looked for.
	Imports []string
	// Absent are globs of imports that need not be there; their types count by name.
	Absent []string
	// Rules are groups of rules (FILE, PACKAGE, WIRE_JSON, WIRE, CSR) and single rules, as
	// buf names them.
	Rules []string
	// Files are the texts, as [ReadFiles] gives them. What is not among them does not exist.
	Files []FilePair
}

// ProtobufResult is what was found.
type ProtobufResult struct {
	// Rules are those that were asked for.
	Rules []string       `json:"rules"`
	Roots []ProtobufRoot `json:"roots"`
}

// ProtobufRoot is what was found in one directory.
type ProtobufRoot struct {
	Root string `json:"root"`
	// Base and Release say how many files of each side are compared.
	Base     int               `json:"base"`
	Release  int               `json:"release"`
	Findings []ProtobufFinding `json:"findings"`
}

// ProtobufFinding is something that breaks those who use the base.
type ProtobufFinding struct {
	// ID is goat's, as protobuf.field.same-type; Rule is the name that buf gives it.
	ID       string `json:"id"`
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	// Subject is the full name of the element.
	Subject string `json:"subject"`
	Message string `json:"message"`
	Place   struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
		// Base says that the place is one of the base: what is gone has none in the release.
		Base bool `json:"base"`
	} `json:"place"`
}

// wireProtobuf is ProtobufOptions as the core reads them.
type wireProtobuf struct {
	wireHead
	Roots   []string           `json:"roots"`
	Imports []string           `json:"imports"`
	Absent  []string           `json:"absent"`
	Rules   []string           `json:"rules"`
	Files   []wireProtobufFile `json:"files"`
}

type wireProtobufFile struct {
	Path    string  `json:"path"`
	Base    *string `json:"base"`
	Release *string `json:"release"`
}

// CompareProtobuf compiles both sides of .proto files, from memory alone, and says what in
// the release breaks those who use the base. Files that do not compile, and imports that
// are not there, are an error of [CodeUnreadable] that names the place.
func CompareProtobuf(ctx context.Context, options ProtobufOptions) (*ProtobufResult, error) {
	request := &wireProtobuf{
		wireHead: head("protobuf"), Roots: list(options.Roots), Imports: list(options.Imports),
		Absent: list(options.Absent), Rules: list(options.Rules), Files: []wireProtobufFile{},
	}
	for i := range options.Files {
		f := &options.Files[i]
		request.Files = append(request.Files, wireProtobufFile{f.Path, f.Base, f.Release})
	}
	answer, err := runAbandoned(ctx, request, nil)
	if err != nil {
		return nil, err
	}
	result := &ProtobufResult{}
	return result, decodeResult(answer, result)
}
