package settings

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/goat-trace/goat/go/internal/config"
)

var (
	durationType = reflect.TypeFor[time.Duration]()
	shareType    = reflect.TypeFor[Share]()
	dateType     = reflect.TypeFor[Date]()
)

// isScalar tells whether a type is written as one word.
func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Float64, reflect.Int, reflect.Int64, reflect.Bool:
		return true
	}
	return t == dateType
}

// kindName is what help calls the values of a type.
func kindName(t reflect.Type) string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice && isScalar(t.Elem()) {
		t = t.Elem()
	}
	switch {
	case t == durationType:
		return "duration"
	case t == shareType:
		return "share"
	case t == dateType:
		return "date"
	case t.Kind() == reflect.Float64:
		return "number"
	case t.Kind() == reflect.Int:
		return "int"
	case t.Kind() == reflect.Bool:
		return "bool"
	case t.Kind() == reflect.String:
		return "text"
	}
	return ""
}

func (d *decoder) scalar(path string, node *yaml.Node, into reflect.Value, tag reflect.StructTag) error {
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.ScalarNode {
		return d.fail(node, path, "must be %s, not %s", article(into.Type()), kindOf(node))
	}
	text, err := d.expand(node, path, node.Value)
	if err != nil {
		return err
	}
	if into.Kind() == reflect.String {
		into.SetString(text)
		return d.word(path, node, text, tag)
	}
	text = strings.TrimSpace(text)
	value, ok := parse(into.Type(), text)
	if !ok {
		return d.fail(node, path, "must be %s, not %q", article(into.Type()), d.values.Hide(text))
	}
	into.Set(reflect.ValueOf(value).Convert(into.Type()))
	return d.inRange(path, node, into, text, tag)
}

func article(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a duration such as 30s"
	case t == shareType:
		return "a part of the whole such as 0.8 or 80%"
	case t == dateType:
		return "a date such as 2026-12-31"
	case t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() == reflect.Int:
		return "a whole number"
	case t.Kind() == reflect.Bool:
		return "true or false"
	}
	return "a text"
}

func parse(t reflect.Type, text string) (any, bool) {
	var value any
	var err error
	switch {
	case t == durationType:
		value, err = time.ParseDuration(text)
		if text == "0" {
			value, err = time.Duration(0), nil
		}
	case t == shareType:
		value, err = parseShare(text)
	case t == dateType:
		value, err = parseDate(text)
	case t.Kind() == reflect.Float64:
		value, err = strconv.ParseFloat(text, 64)
	case t.Kind() == reflect.Int:
		value, err = strconv.Atoi(text)
	case t.Kind() == reflect.Bool:
		value, err = config.ParseBool("", text)
	}
	if f, ok := value.(float64); ok && f != f {
		return nil, false // a threshold that is no number lets everything pass
	}
	return value, err == nil && value != nil
}

func parseShare(text string) (Share, error) {
	digits, percent := strings.CutSuffix(text, "%")
	part, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if percent {
		part /= 100
	}
	if err == nil && !(part >= 0 && part <= 1) {
		err = fmt.Errorf("%s is not between 0 and 1", text)
	}
	return Share(part), err
}

func parseDate(text string) (Date, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return Date{day.Add(24 * time.Hour)}, nil
	}
	moment, err := time.Parse(time.RFC3339, text)
	return Date{moment}, err
}

func (d *decoder) word(path string, node *yaml.Node, text string, tag reflect.StructTag) error {
	legal := words(tag)
	if len(legal) == 0 || slices.Contains(legal, text) {
		return nil
	}
	e := d.fail(node, path, "%q is not one of %s", text, orWord(legal))
	if near := config.Nearest(text, legal); near != "" {
		e.Hint = fmt.Sprintf("did you mean %q?", near)
	}
	return e
}

func words(tag reflect.StructTag) []string { return config.SplitList(tag.Get("oneof")) }

func (d *decoder) inRange(path string, node *yaml.Node, into reflect.Value, text string, tag reflect.StructTag) error {
	var value float64
	switch into.Kind() {
	case reflect.Float64:
		value = into.Float()
	case reflect.Int, reflect.Int64:
		value = float64(into.Int())
	default:
		return nil
	}
	if into.Type() == durationType && value < 0 {
		return d.fail(node, path, "%s lies in the past", text)
	}
	if least, err := strconv.ParseFloat(tag.Get("min"), 64); err == nil && value < least {
		return d.fail(node, path, "%s is too little: at least %s", text, number(least))
	}
	if least, err := strconv.ParseFloat(tag.Get("above"), 64); err == nil && value <= least {
		return d.fail(node, path, "%s is too little: it must be more than %s", text, number(least))
	}
	if most, err := strconv.ParseFloat(tag.Get("max"), 64); err == nil && value > most {
		return d.fail(node, path, "%s is too much: at most %s", text, number(most))
	}
	return nil
}

// splitWords splits a command line at blanks; quotes hold words together.
func splitWords(line string) []string {
	var words []string
	var word strings.Builder
	open, quote := false, rune(0)
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			open, quote = true, r
		case r == ' ' || r == '\t' || r == '\n':
			if open {
				words = append(words, word.String())
			}
			open = false
			word.Reset()
		default:
			open = true
			word.WriteRune(r)
		}
	}
	if open {
		words = append(words, word.String())
	}
	return words
}
