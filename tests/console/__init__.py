"""The console: what its pages show, with and without a browser."""
