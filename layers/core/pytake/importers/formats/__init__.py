"""The source formats, one file each. The registry imports every module; `registry.register` adds the format."""
