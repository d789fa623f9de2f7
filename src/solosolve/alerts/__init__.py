"""What needs a person: rules over facts."""
