"""An adapter that cannot be imported."""
print("about to fail")
raise RuntimeError("no model file")
