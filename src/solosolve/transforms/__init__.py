"""Pure DataFrame to DataFrame functions, one module a layer."""
