"""The social platforms as local HTTP servers with faults on demand."""
