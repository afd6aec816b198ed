"""The node types, one file each; each registers itself with `registry.node_type` and is found by its being here."""
