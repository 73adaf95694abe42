"""What sources and sinks share: whom to ask, reading on in pages, and what answers mean."""
