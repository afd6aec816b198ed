"""An organization's copy of its accounts' templates: how it is kept, and what it stops."""
