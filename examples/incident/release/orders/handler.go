package orders

import (
	"encoding/json"
	"net/http"
	"strconv"

	"example.com/shop/cart"
	"example.com/shop/tariffs"
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
	shipping := make(chan int)
	go quote(order.Country, shipping)
	subtotal, err := cart.Subtotal(order.Items)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	order.Subtotal = subtotal
	order.Shipping = min(cart.Shipping(subtotal), <-shipping)
	order.Total = subtotal + order.Shipping
	order.Points = cart.Points(order.Total)
	reply(w, http.StatusCreated, h.store.Add(order))
}

// quote asks for the tariff while the order is worked out.
func quote(country string, shipping chan<- int) {
	shipping <- tariffs.For(country)
}

func (h *handler) show(w http.ResponseWriter, r *http.Request) {
	order, ok := h.find(r)
	if !ok {
		fail(w, http.StatusNotFound, "no such order")
		return
	}
	reply(w, http.StatusOK, order)
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
