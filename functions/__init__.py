"""The Lambda functions: each decodes its event, makes one call and encodes the answer."""
