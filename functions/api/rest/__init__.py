"""The REST API: routes, roles, problem details. One module per resource."""
