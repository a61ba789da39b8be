package goat

// Range says what is compared with the release.
type Range string

const (
	// RangeMergeBase compares with the merge-base of base and release: what the
	// release's side changed. It is the default.
	RangeMergeBase Range = "merge-base"
	// RangeDirect compares with the tip of the base.
	RangeDirect Range = "direct"
)

// Precision says how changed lines are found.
type Precision int

const (
	// PrecisionBlame calls a line new when the commit it comes from is not part of the base.
	PrecisionBlame Precision = 1
	// PrecisionRenames is git's diff, following renames. It is the default.
	PrecisionRenames Precision = 2
	// PrecisionPlain is git's diff without renames: a moved file is new as a whole.
	PrecisionPlain Precision = 3
)

// Granularity says how many points a change gets, and so what a hit vouches for.
type Granularity string

const (
	// GranularityLine gives each changed statement a point: it was reached.
	GranularityLine Granularity = "line"
	// GranularityPatch gives each changed run of statements a point: it was entered.
	// It is the default.
	GranularityPatch Granularity = "patch"
	// GranularityScope gives each block with a change a point: it was entered.
	GranularityScope Granularity = "scope"
	// GranularityFunc gives each function with a change a point: it was entered.
	GranularityFunc Granularity = "func"
)

// DataType says what a point counts.
type DataType string

const (
	// DataTypeBool records that a point was hit, and when first. It is the default.
	DataTypeBool DataType = "bool"
	// DataTypeCount counts every hit; slower.
	DataTypeCount DataType = "count"
)

// Form is how a point is written into the code.
type Form string

const (
	// FormExact calls the runtime at the first hit: no hit and no time is lost.
	FormExact Form = "exact"
	// FormStore stores into a counter that the runtime scans every 100 ms.
	FormStore Form = "store"
	// FormCount calls the runtime at every hit.
	FormCount Form = "count"
)

// Kind is why a point stands where it stands.
type Kind string

const (
	// KindChange vouches for changed lines.
	KindChange Kind = "change"
	// KindDeletion stands in the block around deleted lines.
	KindDeletion Kind = "deletion"
	// KindBranch is a first-level branch of a changed condition.
	KindBranch Kind = "branch"
	// KindManual was asked for with +goat:insert.
	KindManual Kind = "manual"
)

// Config is what goat.yaml adds to a plan. The zero value is goat without goat.yaml.
type Config struct {
	// AppName is the name in reports and metrics; default: the module's last path element.
	AppName string `json:"appName,omitempty"`
	// AppVersion is the version in reports; default: the release's short commit.
	AppVersion string `json:"appVersion,omitempty"`
	// Ignores are patterns in gitignore syntax, relative to the module.
	Ignores []string `json:"ignores,omitempty"`
	// GoatPackagePath is where the runtime package stands in the module; default "goat".
	GoatPackagePath string `json:"goatPackagePath,omitempty"`
	// GoatPackageName is its package name; default "goat".
	GoatPackageName string `json:"goatPackageName,omitempty"`
	// GoatPackageAlias is its import alias; default "goat".
	GoatPackageAlias string `json:"goatPackageAlias,omitempty"`
	// SkipNestedModules leaves modules below the asked one out; nil means true.
	SkipNestedModules *bool `json:"skipNestedModules,omitempty"`
	// DataType is what points count; default [DataTypeBool].
	DataType DataType `json:"dataType,omitempty"`
	// Workspace is "auto", "off" or the path of a go.work, as GOWORK; default "auto".
	Workspace string `json:"workspace,omitempty"`
	// ModFile stands for the module's go.mod, as go's -modfile; relative to Options.Dir.
	ModFile string `json:"modFile,omitempty"`
}

// Package is one package of a build context, as `go list -json` prints it.
type Package struct {
	ImportPath     string   `json:"importPath"`
	Dir            string   `json:"dir"`
	GoFiles        []string `json:"goFiles,omitempty"`
	CgoFiles       []string `json:"cgoFiles,omitempty"`
	IgnoredGoFiles []string `json:"ignoredGoFiles,omitempty"`
}

// Build is the build that the account is for: it decides which files count as
// excluded by a build constraint or as not in the build.
type Build struct {
	GOOS      string    `json:"goos"`
	GOARCH    string    `json:"goarch"`
	Tags      []string  `json:"tags"`
	Cgo       bool      `json:"cgo"`
	GoVersion string    `json:"goVersion"`
	Packages  []Package `json:"packages,omitempty"`
	// Linked says what a binary holds; nil where there is none to tell. Code of packages
	// that have nothing in it is not in the build, and changed functions that it lacks
	// are link_removed. Without Packages the binary alone tells what is built.
	Linked []LinkedPackage `json:"linked,omitempty"`
}

// LinkedPackage is a package of which the linker kept code.
type LinkedPackage struct {
	ImportPath string `json:"importPath"`
	// Functions are F, T.M and (*T).M, generic ones without type arguments; a function
	// literal counts as the function around it.
	Functions []string `json:"functions"`
}

// Dependency is a module of the build whose version is not that of the base.
type Dependency struct {
	// Path is the module path, as packages import it.
	Path string `json:"path"`
	// NewPath is the module that takes its place in the release, by replace.
	NewPath string `json:"newPath,omitempty"`
	// OldVersion and NewVersion are the versions in base and release, OldDir and NewDir
	// where their files lie.
	OldVersion string `json:"oldVersion"`
	NewVersion string `json:"newVersion"`
	OldDir     string `json:"oldDir,omitempty"`
	NewDir     string `json:"newDir,omitempty"`
	// VendorDir is where the copy lies that is compiled, if that is not NewDir.
	VendorDir string `json:"vendorDir,omitempty"`
	// Problem says why the module cannot be tracked.
	Problem string `json:"problem,omitempty"`
}

// Progress is one step of a running plan.
type Progress struct {
	// Stage is what is being done, for example "parse".
	Stage string `json:"stage"`
	// Done and Total count the stage's units; Total is 0 while it is not known.
	Done  uint64 `json:"done"`
	Total uint64 `json:"total"`
}

// Options say what to plan. Only Dir is needed.
type Options struct {
	// Dir is any directory of a Go module inside a git repository.
	Dir string
	// Base is what to compare with: a branch, tag or commit, or "INIT" for nothing
	// (everything is new). Empty means the default: the merge-base with the remote's
	// default branch, else main, else master; on the trunk itself the latest tag.
	Base string
	// Release is what runs: a branch, tag or commit. Empty, "." and whatever resolves
	// to HEAD mean the working tree.
	Release string
	// Range is [RangeMergeBase] unless set.
	Range Range
	// Precision is [PrecisionRenames] unless set.
	Precision Precision
	// Granularity is [GranularityPatch] unless set.
	Granularity Granularity
	// Exact uses [FormExact] everywhere.
	Exact bool
	// Config is what goat.yaml holds.
	Config Config
	// Build, if set, sharpens the account for one build.
	Build *Build
	// Deps are the upgraded modules whose changed code is tracked like one's own; nil
	// means that nobody asked for it.
	Deps []Dependency
	// OutDir, if set, receives the plan directory, named by the plan's hash.
	OutDir string
	// Brief leaves Points, Account and Files out of the result; they stand in the plan
	// directory.
	Brief bool
	// MemoDir, if set together with OutDir, keeps results: as long as nothing changes in
	// the repository, Plan only looks at the files and gives the kept result. Not with
	// Build or Deps.
	MemoDir string
	// Progress, if set, is called while the plan is made, from another goroutine,
	// never after Plan has returned.
	Progress func(Progress)
}
