// Package orders takes orders over HTTP and keeps them in memory.
package orders

import (
	"sync"

	"example.com/shop/cart"
)

// Order is what a customer bought.
type Order struct {
	ID       int         `json:"id"`
	Customer string      `json:"customer,omitempty"`
	Country  string      `json:"country,omitempty"`
	Items    []cart.Item `json:"items"`
	Subtotal int         `json:"subtotal"`
	Shipping int         `json:"shipping"`
	Total    int         `json:"total"`
	Points   int         `json:"points"`
}

// Store keeps orders in memory.
type Store struct {
	mu         sync.Mutex
	orders     []Order
	byCustomer map[string][]int
}

// NewStore is an empty store.
func NewStore() *Store {
	return &Store{}
}

// Add keeps the order and gives it a number.
func (s *Store) Add(o Order) Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.ID = len(s.orders) + 1
	s.orders = append(s.orders, o)
	if o.Customer != "" {
		s.byCustomer[o.Customer] = append(s.byCustomer[o.Customer], o.ID)
	}
	return o
}

// Get finds an order by its number.
func (s *Store) Get(id int) (Order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < 1 || id > len(s.orders) {
		return Order{}, false
	}
	return s.orders[id-1], true
}
