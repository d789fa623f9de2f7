"""The web application and who may use it."""
