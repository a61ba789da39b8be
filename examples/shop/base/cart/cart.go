// Package cart works out what an order costs. All amounts are in cents.
package cart

import "fmt"

// Item is one line of an order.
type Item struct {
	Name     string `json:"name"`
	Price    int    `json:"price"`
	Quantity int    `json:"quantity"`
}

// Subtotal is the price of all items, without shipping.
func Subtotal(items []Item) (int, error) {
	sum := 0
	for _, item := range items {
		if item.Quantity <= 0 {
			return 0, fmt.Errorf("%s: quantity must be positive", item.Name)
		}
		sum += item.Price * item.Quantity
	}
	return sum, nil
}

// Shipping is what the parcel costs for an order of that value.
func Shipping(subtotal int) int {
	if subtotal >= 5000 {
		return 0
	}
	return 490
}

// Points are the loyalty points that an order earns.
func Points(total int) int {
	return total / 100
}
