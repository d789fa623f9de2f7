"""What sample complaints are made of: measured figures, a grammar of sentences, and the planted signal."""
