"""The generator of made-up complaints: published rates, a grammar of sentences, and a planted signal."""
