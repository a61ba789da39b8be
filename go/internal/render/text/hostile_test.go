package text_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goat-trace/goat/go"
	"github.com/goat-trace/goat/go/internal/doctor"
	"github.com/goat-trace/goat/go/internal/render/text"
	"github.com/goat-trace/goat/go/internal/report"
)

// hostile forges a line, repaints the screen in two ways, and turns the writing.
const hostile = "x\nforged\r\x1b[2J\u009b31m\u202e\u2028y"

// fill gives every text of a document the same value, and every list some elements.
func fill(v reflect.Value, depth int) {
	switch {
	case !v.CanSet() || depth > 8 || v.Type() == reflect.TypeFor[time.Time]():
	case v.Kind() == reflect.String:
		v.SetString(hostile)
	case v.Kind() == reflect.Int:
		v.SetInt(1)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth+1)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), depth+1)
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), depth+1)
		}
	case v.Kind() == reflect.Map:
		key, element := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, depth+1)
		fill(element, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, element)
	}
}

func filled[T any](unset func(*T)) *T {
	document := new(T)
	fill(reflect.ValueOf(document).Elem(), 0)
	unset(document)
	return document
}

// Whatever stands in a document, no line is forged and nothing reaches the terminal.
func TestNothingInvisibleIsPrinted(t *testing.T) {
	looks := text.Looks{Verbose: true}
	for name, got := range map[string]string{
		"report": text.Report(filled(func(*report.Document) {}), looks),
		"plan": text.Plan(filled(func(r *goat.Result) {
			for i := range r.Points {
				r.Points[i].Kind = goat.KindChange
			}
		}), text.PlanLooks{Looks: looks, GoBuild: hostile, Explain: true}),
		"doctor": text.Doctor(filled(func(*doctor.Report) {}), looks),
	} {
		if !strings.Contains(got, `x\nforged\r\x1b[2J\u009b31m\u202e\u2028y`) {
			t.Errorf("%s: the texts are not there:\n%s", name, got)
		}
		if strings.ContainsAny(got, "\r\x1b\u009b\u202e\u2028") || strings.Contains(got, "\nforged") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
