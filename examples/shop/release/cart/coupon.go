package cart

import "fmt"

// Discount is what the coupon takes off the subtotal.
func Discount(code string, subtotal int) (int, error) {
	switch code {
	case "":
		return 0, nil
	case "WELCOME10":
		return subtotal / 10, nil
	case "BULK":
		if subtotal < 20000 {
			return 0, fmt.Errorf("coupon %s needs an order of 200.00", code)
		}
		return 2500, nil
	}
	return 0, fmt.Errorf("unknown coupon %q", code)
}
