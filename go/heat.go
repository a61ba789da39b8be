package goat

import (
	"context"
	"encoding/json"
)

// HeatOptions say which logs of builds [Heat] reads.
type HeatOptions struct {
	// Sources are logs, or one log and the file that -debug-actiongraph has written for it.
	Sources []HeatSource
	// Rule decides whether a build is an alarm: median-mad (default) or article.
	Rule string
}

// HeatSource is one file.
type HeatSource struct {
	// Name is how it is called in the result and in errors.
	Name string `json:"name"`
	Path string `json:"path"`
	// History says that it was found beside others: it is shown only if it is the newest of
	// its platform, and passed over if it is no log.
	History bool `json:"history"`
}

// HeatResult is what was found. JSON is the document as the core wrote it; docs/heat.md
// has it field by field. Times are milliseconds.
type HeatResult struct {
	Format int         `json:"format"`
	Builds []HeatBuild `json:"builds"`
	// Baselines says of each of Builds where it stands in its history.
	Baselines []HeatBaseline `json:"baselines"`
	// Read is how many builds were read.
	Read    int           `json:"read"`
	NotRead []HeatNotRead `json:"notRead"`

	// JSON is the whole document.
	JSON json.RawMessage `json:"-"`
}

// HeatCost is what processes took together.
type HeatCost struct {
	Tools  uint64  `json:"tools"`
	WallMs float64 `json:"wallMs"`
	UserMs float64 `json:"userMs"`
	SysMs  float64 `json:"sysMs"`
	// MaxRSS is the most memory that one of them had, in bytes.
	MaxRSS uint64 `json:"maxRss"`
}

// HeatBuild is one build.
type HeatBuild struct {
	Source    string   `json:"source"`
	Verb      string   `json:"verb"`
	Targets   []string `json:"targets"`
	Flags     []string `json:"flags"`
	Module    string   `json:"module"`
	Commit    string   `json:"commit"`
	Dirty     bool     `json:"dirty"`
	Points    uint64   `json:"points"`
	GOOS      string   `json:"goos"`
	GOARCH    string   `json:"goarch"`
	GoVersion string   `json:"goVersion"`
	// Runner is the kind of machine.
	Runner      string `json:"runner"`
	StartUnixMs int64  `json:"startUnixMs"`
	// Exit is go's exit code, nil where the log has no end; Complete that it has one, or
	// never has.
	Exit     *int `json:"exit"`
	Complete bool `json:"complete"`
	// LoadMs is what go took to load packages, QueuedMs what actions waited for a worker.
	LoadMs   *float64 `json:"loadMs"`
	QueuedMs *float64 `json:"queuedMs"`
	// WallMs is go's, from its start to its end.
	WallMs float64 `json:"wallMs"`
	// Sum is that of all tools.
	Sum         HeatCost      `json:"sum"`
	Concurrency int           `json:"concurrency"`
	Cache       HeatCache     `json:"cache"`
	Goat        HeatOwn       `json:"goat"`
	Kernel      *HeatKernel   `json:"kernel"`
	Stages      []HeatStage   `json:"stages"`
	Packages    []HeatPackage `json:"packages"`
	// CriticalPath is nil where CriticalPathWhy says why.
	CriticalPath    *HeatPath     `json:"criticalPath"`
	CriticalPathWhy *string       `json:"criticalPathWhy"`
	Processes       []HeatProcess `json:"processes"`
}

// HeatCache is what go took from its cache: Class is cold, partial, warm or unknown.
type HeatCache struct {
	Hits   *int   `json:"hits"`
	Misses int    `json:"misses"`
	Class  string `json:"class"`
}

// HeatOwn is goat's own cost.
type HeatOwn struct {
	HelperMs float64 `json:"helperMs"`
	ToolsMs  float64 `json:"toolsMs"`
	// Share is that of both in all CPU time; Packages have points.
	Share    float64 `json:"share"`
	Packages int     `json:"packages"`
}

// HeatKernel is what the kernel says of the go command with all that it has started.
type HeatKernel struct {
	UserMs float64 `json:"userMs"`
	SysMs  float64 `json:"sysMs"`
	MaxRSS uint64  `json:"maxRss"`
	// ChildrenMs is the CPU time of go's children, Recorded the share that the log has.
	ChildrenMs *float64 `json:"childrenMs"`
	Recorded   *float64 `json:"recorded"`
}

// HeatPhase is a phase under the tool's own name.
type HeatPhase struct {
	Name string  `json:"name"`
	Ms   float64 `json:"ms"`
}

// HeatStage is one tool over all packages.
type HeatStage struct {
	Stage string `json:"stage"`
	HeatCost
	Phases []HeatPhase `json:"phases"`
}

// HeatPackage is one package, or one variant of it, over all stages.
type HeatPackage struct {
	Package string `json:"package"`
	Variant string `json:"variant"`
	// Points says that goat has put points into it.
	Points bool `json:"points"`
	HeatCost
	QueuedMs *float64   `json:"queuedMs"`
	GoatMs   float64    `json:"goatMs"`
	Lines    uint64     `json:"lines"`
	Funcs    uint64     `json:"funcs"`
	Cells    []HeatCell `json:"cells"`
}

// HeatCell is one package in one stage.
type HeatCell struct {
	Stage string `json:"stage"`
	HeatCost
}

// HeatPath is the chain of actions that takes longest.
type HeatPath struct {
	Ms      float64    `json:"ms"`
	Workers int        `json:"workers"`
	Steps   []HeatStep `json:"steps"`
}

// HeatStep is one action; SaveMs is by how much the build would end earlier without it.
type HeatStep struct {
	Package  string  `json:"package"`
	Mode     string  `json:"mode"`
	Ms       float64 `json:"ms"`
	QueuedMs float64 `json:"queuedMs"`
	SaveMs   float64 `json:"saveMs"`
}

// HeatProcess is one process of a tool. On one Slot nothing overlaps.
type HeatProcess struct {
	Package  string      `json:"package"`
	Variant  string      `json:"variant"`
	Stage    string      `json:"stage"`
	Slot     int         `json:"slot"`
	StartMs  float64     `json:"startMs"`
	WallMs   float64     `json:"wallMs"`
	UserMs   float64     `json:"userMs"`
	SysMs    float64     `json:"sysMs"`
	MaxRSS   uint64      `json:"maxRss"`
	Exit     int         `json:"exit"`
	Points   bool        `json:"points"`
	OutBytes uint64      `json:"outBytes"`
	Phases   []HeatPhase `json:"phases"`
}

// HeatBaseline is where a build stands among those that may be compared with it.
type HeatBaseline struct {
	// Key is what has to be equal.
	Key string `json:"key"`
	// Verdict is ok, alarm, noBaseline, or failed for a build that did not go well.
	Verdict string          `json:"verdict"`
	Rules   []HeatJudgement `json:"rules"`
	Series  []HeatMember    `json:"series"`
	Grown   []HeatGrown     `json:"grown"`
}

// HeatJudgement is what one rule says, in seconds of user CPU time.
type HeatJudgement struct {
	Rule      string   `json:"rule"`
	Verdict   string   `json:"verdict"`
	Median    *float64 `json:"median"`
	Threshold *float64 `json:"threshold"`
	Reason    string   `json:"reason"`
}

// HeatMember is one build of a series.
type HeatMember struct {
	Source      string  `json:"source"`
	StartUnixMs int64   `json:"startUnixMs"`
	UserSeconds float64 `json:"userSeconds"`
}

// HeatGrown is a package that costs more than its median.
type HeatGrown struct {
	Package       string  `json:"package"`
	UserSeconds   float64 `json:"userSeconds"`
	MedianSeconds float64 `json:"medianSeconds"`
}

// HeatNotRead is a place that was not read; line 0 is a whole file.
type HeatNotRead struct {
	Source string `json:"source"`
	Line   uint64 `json:"line"`
	Reason string `json:"reason"`
}

// wireHeat is HeatOptions as the core reads them.
type wireHeat struct {
	wireHead
	Sources []HeatSource `json:"sources"`
	Rule    string       `json:"rule,omitempty"`
}

// Heat reads the logs of builds that were made with --timings and says where the time
// went: packages by stage, the critical path, goat's own part, and whether the newest
// build costs more than those before it. Without a build in the sources the error is one
// of [CodeNoTimings].
func Heat(ctx context.Context, options HeatOptions) (*HeatResult, error) {
	request := &wireHeat{wireHead: head("heat"), Sources: list(options.Sources), Rule: options.Rule}
	result := &HeatResult{}
	document, err := runDocument(ctx, request, result)
	if err != nil {
		return nil, err
	}
	result.JSON = document
	return result, nil
}
