"""The dashboard's views and the elements they share."""
