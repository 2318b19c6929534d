"""Published methods of compositing, each written after its source, on the same views as senard."""
