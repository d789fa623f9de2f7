"""Builders, brokers, browsers and drills that tests share."""
