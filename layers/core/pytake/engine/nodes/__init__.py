"""The node types, one file each. The registry imports every module of this package; `registry.node_type` registers the type."""
