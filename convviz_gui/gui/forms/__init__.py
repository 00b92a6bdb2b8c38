"""Forms made from a method's fields."""
