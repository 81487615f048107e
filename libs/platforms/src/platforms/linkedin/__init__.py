"""LinkedIn: the versioned Posts API, for members and for organisations."""
