"""Requests and answers, whatever the route: connections, limits, bodies, errors, middleware, access log."""
