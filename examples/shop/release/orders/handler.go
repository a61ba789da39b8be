package orders

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"example.com/shop/cart"
)

type handler struct {
	store *Store
}

// NewHandler serves the orders of the store.
func NewHandler(store *Store) http.Handler {
	h := &handler{store: store}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", h.health)
	mux.HandleFunc("POST /orders", h.create)
	mux.HandleFunc("GET /orders/{id}", h.show)
	mux.HandleFunc("GET /orders/{id}/invoice", h.invoice)
	return mux
}

func (h *handler) health(w http.ResponseWriter, r *http.Request) {
	reply(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (h *handler) create(w http.ResponseWriter, r *http.Request) {
	var order Order
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	subtotal, err := cart.Subtotal(order.Items)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	discount, err := cart.Discount(order.Coupon, subtotal)
	if err != nil {
		fail(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	order.Subtotal = subtotal
	order.Discount = discount
	order.Shipping = cart.Shipping(subtotal-discount, order.Express)
	order.Total = subtotal - discount + order.Shipping
	order.Points = cart.Points(order.Total)
	reply(w, http.StatusCreated, h.store.Add(order))
}

func (h *handler) show(w http.ResponseWriter, r *http.Request) {
	order, ok := h.find(r)
	if !ok {
		fail(w, http.StatusNotFound, "no such order")
		return
	}
	reply(w, http.StatusOK, order)
}

// invoice is the order as text, for printing.
func (h *handler) invoice(w http.ResponseWriter, r *http.Request) {
	order, ok := h.find(r)
	if !ok {
		fail(w, http.StatusNotFound, "no such order")
		return
	}
	for _, item := range order.Items {
		fmt.Fprintf(w, "%3d x %-20s %8d\n", item.Quantity, item.Name, item.Price)
	}
	fmt.Fprintf(w, "%-26s %8d\n", "total", order.Total)
}

func (h *handler) find(r *http.Request) (Order, bool) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return Order{}, false
	}
	return h.store.Get(id)
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func fail(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]string{"error": message})
}
