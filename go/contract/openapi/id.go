package openapi

import (
	"strings"
	"sync"

	"github.com/oasdiff/oasdiff/checker"
)

// ID is goat's id for a rule of oasdiff: openapi, the direction, the area and the kind
// of what changed. Rules are renamed and regraded from one version of oasdiff to the
// next; what they are about is not.
func ID(rule string) string {
	if id, ok := ids()[rule]; ok {
		return id
	}
	return "openapi.other"
}

var ids = sync.OnceValue(func() map[string]string {
	known := map[string]string{}
	for _, rule := range checker.GetAllRules() {
		parts := []string{"openapi"}
		for _, part := range []string{directions[rule.Direction], areas[rule.Area], kinds[rule.Kind]} {
			if part != "" {
				parts = append(parts, part)
			}
		}
		known[rule.Id] = strings.Join(parts, ".")
	}
	return known
})

var directions = map[checker.Direction]string{
	checker.DirectionRequest:  "request",
	checker.DirectionResponse: "response",
}

var areas = map[checker.Area]string{
	checker.AreaSchema:      "schema",
	checker.AreaParameters:  "parameter",
	checker.AreaRequestBody: "body",
	checker.AreaResponses:   "status",
	checker.AreaPaths:       "operation",
	checker.AreaHeaders:     "header",
	checker.AreaSecurity:    "security",
	checker.AreaTags:        "tag",
	checker.AreaComponents:  "component",
	checker.AreaInfo:        "info",
	checker.AreaServers:     "server",
}

var kinds = map[checker.Kind]string{
	checker.KindExistence:    "existence",
	checker.KindRequiredness: "required",
	checker.KindMutability:   "mutability",
	checker.KindType:         "type",
	checker.KindConstraints:  "constraint",
	checker.KindValues:       "values",
	checker.KindStructure:    "structure",
	checker.KindLifecycle:    "lifecycle",
}
