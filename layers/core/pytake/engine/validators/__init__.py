"""The validators, one file each; each registers itself with `registry.validator`."""
