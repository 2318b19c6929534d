"""How well pixels are chosen on real acquisitions."""
