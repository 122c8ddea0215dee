"""What the public API takes and gives, as models; OpenAPI is made from them."""
