module example.com/shop/client

go 1.23
