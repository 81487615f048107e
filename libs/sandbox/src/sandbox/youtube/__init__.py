"""YouTube, imitated: Google's authorisation, the Data and Analytics APIs, the hub for push notices."""
