"""How clean, whole, true and even the chosen mosaic is, beside what other methods make of the same simulated views."""
