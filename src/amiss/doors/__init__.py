"""What the World opens: connections to brokers, databases, receivers, files and the inbox."""
