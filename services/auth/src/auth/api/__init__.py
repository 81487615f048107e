"""auth over HTTP: parse, authorise, call one use case, shape the answer."""
