"""The validators, one file each. The registry imports every module; `registry.validator` registers the validator."""
