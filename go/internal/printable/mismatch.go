package printable

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Mismatch says of a value in a JSON document that is of another kind than it must be, in
// the words of the document: package json names Go's types. Other errors stay as they are.
func Mismatch(err error) error {
	var kind *json.UnmarshalTypeError
	var moment *time.ParseError
	switch {
	case errors.As(err, &kind):
		what := "the document"
		if kind.Field != "" {
			what = strconv.Quote(kind.Field)
		}
		return fmt.Errorf("%s must be %s, not %s (at byte %d)", what, wanted(kind.Type), given(kind.Value), kind.Offset)
	case errors.As(err, &moment):
		return fmt.Errorf("%q is no time such as 2026-01-02T15:04:05Z", moment.Value)
	}
	return err
}

// wanted is what stands in a document for a type.
func wanted(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct, reflect.Interface:
		return "an object"
	}
	return "a whole number"
}

// given is what package json calls the value that stands there.
func given(value string) string {
	if number, is := strings.CutPrefix(value, "number "); is {
		return number
	}
	words := map[string]string{"string": "a text", "number": "a number", "bool": "true or false", "array": "a list", "object": "an object"}
	if word, known := words[value]; known {
		return word
	}
	return value
}
